"""A text service that adds 100, with plain pika: a number in, a number out, no method name."""

import pika
import programs


def answer(channel, method, properties, body):
    channel.basic_publish(
        exchange="",
        routing_key=properties.reply_to,
        properties=pika.BasicProperties(correlation_id=properties.correlation_id),
        body=str(int(body) + 100),
    )
    channel.basic_ack(method.delivery_tag)


def main():
    given = programs.arguments(__doc__)
    connection = pika.BlockingConnection(pika.URLParameters(given.url))
    channel = connection.channel()
    programs.stop_on_signal(connection, channel)
    channel.queue_declare(queue=given.queue, durable=True)
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(queue=given.queue, on_message_callback=answer)
    print("ready")
    channel.start_consuming()
    connection.close()


if __name__ == "__main__":
    main()

"""The server of RabbitMQ's RPC tutorial, with plain pika: text in, text out, no method name."""

import pika
import programs
from fibonacci import fib


def answer(channel, method, properties, body):
    n = int(body)
    print(f"fib({n})")
    channel.basic_publish(
        exchange="",
        routing_key=properties.reply_to,
        properties=pika.BasicProperties(correlation_id=properties.correlation_id),
        body=str(fib(n)),
    )
    channel.basic_ack(method.delivery_tag)


def main():
    given = programs.arguments(__doc__, generations=True)
    connection = pika.BlockingConnection(pika.URLParameters(given.url))
    channel = connection.channel()
    programs.stop_on_signal(connection, channel)
    if given.generation == "older":
        channel.queue_declare(queue=given.queue)
    else:
        channel.queue_declare(queue=given.queue, durable=True, arguments=programs.QUORUM)
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(queue=given.queue, on_message_callback=answer)
    print("ready")
    channel.start_consuming()
    connection.close()


if __name__ == "__main__":
    main()

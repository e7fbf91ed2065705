"""The client of RabbitMQ's RPC tutorial, with plain pika: prints the answer."""

import sys
import uuid

import pika
import programs

PATIENCE = 30


def main():
    given = programs.arguments(__doc__, generations=True, number=True)
    connection = pika.BlockingConnection(pika.URLParameters(given.url))
    channel = connection.channel()
    if given.generation == "older":
        callback = channel.queue_declare(queue="", exclusive=True).method.queue
    else:
        callback = "amq.rabbitmq.reply-to"

    correlation = str(uuid.uuid4())
    replies = []

    def on_reply(_channel, _method, properties, body):
        if properties.correlation_id == correlation:
            replies.append(body)

    channel.basic_consume(queue=callback, on_message_callback=on_reply, auto_ack=True)
    channel.basic_publish(
        exchange="",
        routing_key=given.queue,
        properties=pika.BasicProperties(reply_to=callback, correlation_id=correlation),
        body=str(given.n),
    )
    connection.call_later(PATIENCE, lambda: sys.exit(f"no reply after {PATIENCE} s"))
    while not replies:
        connection.process_data_events(time_limit=None)
    print(int(replies[0]))
    connection.close()


if __name__ == "__main__":
    main()

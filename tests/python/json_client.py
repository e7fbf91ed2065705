"""A call by method and argument name, in JSON: prints the reply's type and body."""

import argparse
import json
import sys
import uuid

import pika

PATIENCE = 30


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("queue")
    parser.add_argument("method")
    parser.add_argument("arguments", type=json.loads, help='such as {"n": 30}')
    given = parser.parse_args()

    connection = pika.BlockingConnection(pika.URLParameters(given.url))
    channel = connection.channel()
    callback = channel.queue_declare(queue="", exclusive=True).method.queue
    correlation = str(uuid.uuid4())
    channel.basic_publish(
        exchange="",
        routing_key=given.queue,
        properties=pika.BasicProperties(
            type=given.method, content_type="application/json", reply_to=callback, correlation_id=correlation
        ),
        body=json.dumps(given.arguments),
    )
    for _method, properties, body in channel.consume(callback, auto_ack=True, inactivity_timeout=PATIENCE):
        if properties is None:
            sys.exit(f"no reply after {PATIENCE} s")
        if properties.correlation_id == correlation:
            print(properties.type, json.dumps(json.loads(body)) if body else "")
            break
    connection.close()


if __name__ == "__main__":
    main()

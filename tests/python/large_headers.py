"""Sends messages whose headers fill a frame larger than pika's limit.

Usage: large_headers.py URL QUEUE BYTES FRAME_MAX BODY...
"""

import sys

import pika
import pika.spec


def main():
    url, queue, size, frame_max, *bodies = sys.argv[1:]
    # Raise pika's own limit.
    pika.spec.FRAME_MAX_SIZE = int(frame_max)
    parameters = pika.URLParameters(url)
    parameters.frame_max = int(frame_max)
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.confirm_delivery()
    properties = pika.BasicProperties(type="add", content_type="application/json", headers={"x": "A" * int(size)})
    for body in bodies:
        channel.basic_publish("", queue, body, properties)
    connection.close()
    print("sent")


main()

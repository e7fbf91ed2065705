"""Sends messages whose headers fill a frame that is larger than pika asks for by itself.

Usage: large_headers.py URL QUEUE BYTES FRAME_MAX BODY...
"""

import sys

import pika


def main():
    url, queue, size, frame_max, *bodies = sys.argv[1:]
    parameters = pika.URLParameters(url)
    # The setter refuses it.
    parameters._frame_max = int(frame_max)
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.confirm_delivery()
    properties = pika.BasicProperties(type="add", content_type="application/json", headers={"x": "A" * int(size)})
    for body in bodies:
        channel.basic_publish("", queue, body, properties)
    connection.close()
    print("sent")


main()

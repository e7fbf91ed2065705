"""Answers one discovery request many times.

Usage: forged_answers.py URL COUNT BYTES PIECE HEAD TAIL

Each body is HEAD, PIECE repeated as often as it fits into BYTES, and TAIL.
"""

import sys

import pika


def main():
    url, count, size, piece, head, tail = sys.argv[1:7]
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.exchange_declare("rpc.discovery", "topic", durable=True)
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, "rpc.discovery", "#")
    print("listening", flush=True)
    for method, properties, _ in channel.consume(queue, auto_ack=True):
        break
    for number in range(int(count)):
        first = head.replace("NUMBER", str(number))
        times = (int(size) - len(first) - len(tail)) // len(piece)
        body = first + piece * times + tail
        answer = pika.BasicProperties(
            content_type="application/json", correlation_id=properties.correlation_id, type="result"
        )
        channel.basic_publish("", properties.reply_to, body.encode(), answer)
    connection.close()
    print("sent")


main()

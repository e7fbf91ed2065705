"""Sends what no well-behaved client can: headers nested as deep as asked for, and strings that are no text.

Usage: hostile.py URL QUEUE REPLY_TO DEPTH [EXCHANGE]
"""

import struct
import sys

import pika


class RawProperties(pika.BasicProperties):
    """Properties whose bytes are given, not encoded."""

    def __init__(self, flags, values):
        super().__init__()
        self._raw = [struct.pack(">H", flags)] + values

    def encode(self):
        return self._raw


HEADERS, CORRELATION_ID, REPLY_TO, TYPE = 1 << 13, 1 << 10, 1 << 9, 1 << 5


def short(data):
    return bytes([len(data)]) + data


def nested(depth):
    """A table in a table in a table …, without its own length."""
    table = b""
    for _ in range(depth):
        table = short(b"t") + b"F" + struct.pack(">I", len(table)) + table
    return table


def main():
    url, queue, reply_to, depth = sys.argv[1:5]
    exchange = sys.argv[5] if len(sys.argv) > 5 else ""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()

    def publish(correlation_id, table, routing_key=queue):
        flags, values = CORRELATION_ID | REPLY_TO | TYPE, []
        if table is not None:
            flags |= HEADERS
            values.append(struct.pack(">I", len(table)) + table)
        values += [short(correlation_id), short(reply_to.encode()), short(b"seen")]
        properties = RawProperties(flags, values)
        channel.basic_publish(exchange, routing_key, b"", properties)

    publish(b"deep", nested(int(depth)))
    publish(b"not \xff\xfe text", None)
    publish(b"name", short(b"\xff\xfe") + b"V")
    connection.close()
    print("sent")


main()

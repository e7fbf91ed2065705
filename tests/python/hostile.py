"""Sends messages that no normal client can: headers nested to a given depth, and strings that are not text.

Usage: hostile.py URL QUEUE REPLY_TO DEPTH [EXCHANGE]
"""

import struct
import sys

import pika
from raw_properties import CONTENT_TYPE, CORRELATION_ID, HEADERS, REPLY_TO, TYPE, RawProperties, short


def nested(depth):
    """A table in a table in a table …, without its length field."""
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
        flags, values = CONTENT_TYPE | CORRELATION_ID | REPLY_TO | TYPE, [short(b"application/x-bincode")]
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

"""Requests with binary ids, like those of Erlang's client. Prints "echoed" if each comes back byte for byte.

Usage: raw_ids.py URL QUEUE METHOD BODY
"""

import sys

import pika
from raw_properties import CONTENT_TYPE, CORRELATION_ID, MESSAGE_ID, REPLY_TO, TYPE, RawProperties, read_bytes, short

PATIENCE = 30
# 16 bytes that are not UTF-8, with a line break and a zero.
RAW = bytes.fromhex("f00d9c8e000a7f01ffffffffffffffff")
OTHER = b"\xfe\xff another"
UPPER = b"67E55044-10B1-426F-9247-BB680E5FE0C8"
# The correlation id, the message id, and the id of the reply; None means left out.
CASES = [
    (RAW, None, RAW),
    (RAW, OTHER, RAW),
    (None, RAW, RAW),
    (None, OTHER, OTHER),
    (b"\xff" * 255, None, b"\xff" * 255),
    (UPPER, None, UPPER),
    (b"{" + UPPER.lower() + b"}", None, b"{" + UPPER.lower() + b"}"),
    (b"", OTHER, b""),
    (None, None, None),
]


def main():
    url, queue, method, body = sys.argv[1:5]
    read_bytes()
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.call_later(PATIENCE, lambda: sys.exit(f"no reply after {PATIENCE} s"))
    channel = connection.channel()
    callback = channel.queue_declare(queue="", exclusive=True).method.queue
    replies = channel.consume(callback, auto_ack=True)
    for correlation, message, expected in CASES:
        for name in (method, "nonsense"):
            flags, values = CONTENT_TYPE | REPLY_TO | TYPE, [short(b"application/json")]
            if correlation is not None:
                flags |= CORRELATION_ID
                values.append(short(correlation))
            values.append(short(callback.encode()))
            if message is not None:
                flags |= MESSAGE_ID
                values.append(short(message))
            values.append(short(name.encode()))
            channel.basic_publish("", queue, body.encode(), RawProperties(flags, values))
            _, properties, _ = next(replies)
            echoed = properties.correlation_id
            if (None if echoed is None else echoed.encode("latin-1")) != expected:
                sys.exit(f"{name}: sent {correlation} and {message}, and {echoed!r} came back")
    connection.close()
    print("echoed")


if __name__ == "__main__":
    main()

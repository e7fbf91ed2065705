"""Properties of a message as bytes, because pika writes only texts in UTF-8."""

import struct

import pika
import pika.data

CONTENT_TYPE, HEADERS, CORRELATION_ID, REPLY_TO, MESSAGE_ID, TYPE = (1 << bit for bit in (15, 13, 10, 9, 7, 5))


class RawProperties(pika.BasicProperties):
    """Properties with given bytes, not encoded."""

    def __init__(self, flags, values):
        super().__init__()
        self._raw = [struct.pack(">H", flags)] + values

    def encode(self):
        return self._raw


def short(data):
    return bytes([len(data)]) + data


def read_bytes():
    """Makes pika read texts byte for byte: each byte becomes one character."""

    def decode_short_string(encoded, offset):
        end = offset + 1 + encoded[offset]
        return encoded[offset + 1 : end].decode("latin-1"), end

    pika.data.decode_short_string = decode_short_string

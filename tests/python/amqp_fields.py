"""AMQP field tables that keep their types.

pika reads 64-bit and 16-bit integers alike, and writes 32-bit ones, but tests of the wire need exact types. So a value may be
given as {"$amqp": KIND, "value": …}, where KIND is RabbitMQ's letter for the type. The kinds of read values are kept beside them.
"""

import base64
import struct

import pika.data

NUMBERS = {"b": ">b", "B": ">B", "s": ">h", "u": ">H", "I": ">i", "i": ">I", "l": ">q", "f": ">f", "d": ">d", "T": ">Q"}


class Typed:
    def __init__(self, kind, value):
        self.kind = kind
        self.value = value


class Table(dict):
    """A table with the kinds of its own entries."""

    kinds = {}


def install():
    """Makes pika distinguish all types."""
    read_value, write_value = pika.data.decode_value, pika.data.encode_value

    def encode_value(pieces, value):
        if not isinstance(value, Typed):
            return write_value(pieces, value)
        body = payload(value)
        pieces.append(value.kind.encode() + body)
        return 1 + len(body)

    def decode_value(encoded, offset):
        kind = chr(encoded[offset])
        if kind in NUMBERS and kind != "T":
            form = NUMBERS[kind]
            (value,) = struct.unpack_from(form, encoded, offset + 1)
            return value, offset + 1 + struct.calcsize(form)
        return read_value(encoded, offset)

    def decode_table(encoded, offset):
        table = Table()
        table.kinds = {}
        (size,) = struct.unpack_from(">I", encoded, offset)
        offset += 4
        end = offset + size
        while offset < end:
            name, offset = pika.data.decode_short_string(encoded, offset)
            table.kinds[name] = chr(encoded[offset])
            table[name], offset = pika.data.decode_value(encoded, offset)
        return table, offset

    def decode_short_string(encoded, offset):
        # A correlation id may be any bytes; invalid ones are shown as \xff.
        end = offset + 1 + encoded[offset]
        return bytes(encoded[offset + 1 : end]).decode(errors="backslashreplace"), end

    pika.data.decode_short_string = decode_short_string
    pika.data.encode_value = encode_value
    pika.data.decode_value = decode_value
    pika.data.decode_table = decode_table


def payload(typed):
    if typed.kind in NUMBERS:
        return struct.pack(NUMBERS[typed.kind], typed.value)
    if typed.kind == "x":
        value = base64.b64decode(typed.value)
    elif typed.kind == "S":
        value = typed.value.encode()
    else:
        raise ValueError(f"no value of the kind {typed.kind!r} can be written")
    return struct.pack(">I", len(value)) + value


def from_json(value):
    if isinstance(value, dict):
        if "$amqp" in value:
            return Typed(value["$amqp"], value["value"])
        return {name: from_json(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [from_json(entry) for entry in value]
    return value


def to_json(table):
    """The table, and the kinds of its entries."""
    if table is None:
        return None, {}
    return plain(table), table.kinds


def plain(value):
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, bytes):
        return {"$amqp": "x", "value": base64.b64encode(value).decode()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)

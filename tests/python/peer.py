"""pika under remote control: one JSON command a line on stdin, one JSON answer a line on stdout.

Usage: peer.py AMQP_URL

A command is {"id": …, "op": NAME, …arguments}; its answer {"id": …, "ok": VALUE} or {"id": …, "error": {kind, code, text}}.
Bodies are base64. If the broker closes the channel, the current command gets the error and the next one a new channel.
"""

import base64
import json
import sys
import time

import amqp_fields
import pika
import pika.exceptions

PROPERTIES = (
    "content_type content_encoding delivery_mode priority correlation_id reply_to expiration "
    "message_id timestamp type user_id app_id cluster_id"
).split()
POLL = 0.02


class Peer:
    def __init__(self, url):
        parameters = pika.URLParameters(url)
        # This program reads its socket only during a command.
        parameters.heartbeat = 0
        self.connection = pika.BlockingConnection(parameters)
        self.channel = None
        self.reopen()

    def reopen(self):
        self.channel = self.connection.channel()
        self.confirming = False
        self.returned = []
        self.deliveries = {}
        self.cancelled = set()
        self.channel.add_on_return_callback(
            lambda _channel, method, properties, body: self.returned.append(message(method, properties, body))
        )
        self.channel.add_on_cancel_callback(lambda frame: self.cancelled.add(frame.method.consumer_tag))

    def carry_out(self, command):
        operation = getattr(self, "op_" + command.pop("op"))
        if self.channel.is_closed:
            self.reopen()
        return operation(**command)

    # Queues and exchanges

    def op_declare(self, name, passive, durable, exclusive, auto_delete, arguments):
        frame = self.channel.queue_declare(
            name, passive, durable, exclusive, auto_delete, amqp_fields.from_json(arguments or {})
        )
        method = frame.method
        return {"name": method.queue, "messages": method.message_count, "consumers": method.consumer_count}

    def op_delete(self, queue):
        return self.channel.queue_delete(queue).method.message_count

    def op_purge(self, queue):
        return self.channel.queue_purge(queue).method.message_count

    def op_declare_exchange(self, name, kind, durable):
        self.channel.exchange_declare(name, kind, durable=durable)

    def op_delete_exchange(self, name):
        self.channel.exchange_delete(name)

    def op_bind(self, queue, exchange, routing_key):
        self.channel.queue_bind(queue, exchange, routing_key)

    def op_bind_exchange(self, destination, source, routing_key):
        self.channel.exchange_bind(destination, source, routing_key)

    # Messages out

    def op_confirm(self):
        self.channel.confirm_delivery()
        self.confirming = True

    def op_publish(self, message):
        properties = pika.BasicProperties(**{name: message.get(name) for name in PROPERTIES})
        if message.get("headers") is not None:
            properties.headers = amqp_fields.from_json(message["headers"])
        body = base64.b64decode(message["body"])
        try:
            self.channel.basic_publish(
                message["exchange"], message["routing_key"], body, properties, message["mandatory"]
            )
        except pika.exceptions.UnroutableError:
            return "returned"
        except pika.exceptions.NackError:
            return "nacked"
        return "confirmed" if self.confirming else "sent"

    def op_returned(self, timeout):
        self.wait(lambda: self.returned, timeout)
        return self.returned.pop(0) if self.returned else None

    # Messages in

    def op_get(self, queue, timeout, auto_ack):
        deadline = time.monotonic() + timeout
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack)
            if method is not None:
                return message(method, properties, body)
            if time.monotonic() >= deadline:
                return None
            self.connection.process_data_events(time_limit=POLL)

    def op_consume(self, queue, auto_ack, exclusive, prefetch, arguments):
        if prefetch:
            self.channel.basic_qos(prefetch_count=prefetch)
        waiting = []
        tag = self.channel.basic_consume(
            queue,
            lambda _channel, method, properties, body: waiting.append(message(method, properties, body)),
            auto_ack=auto_ack,
            exclusive=exclusive,
            arguments=amqp_fields.from_json(arguments or {}),
        )
        self.deliveries[tag] = waiting
        return tag

    def op_next(self, consumer, timeout):
        waiting = self.deliveries[consumer]
        self.wait(lambda: waiting, timeout)
        return waiting.pop(0) if waiting else None

    def op_cancelled(self, consumer, timeout):
        self.wait(lambda: consumer in self.cancelled, timeout)
        return consumer in self.cancelled

    def op_cancel(self, consumer):
        self.channel.basic_cancel(consumer)

    def op_ack(self, delivery_tag, multiple):
        self.channel.basic_ack(delivery_tag, multiple)
        self.connection.process_data_events()

    def op_nack(self, delivery_tag, requeue):
        self.channel.basic_nack(delivery_tag, requeue=requeue)
        self.connection.process_data_events()

    # The connection

    def op_server(self):
        properties = self.connection._impl.server_properties
        return {name: value for name, value in properties.items() if isinstance(value, str)}

    def op_close_channel(self):
        self.channel.close()

    def op_close(self):
        self.connection.close()

    def wait(self, condition, timeout):
        deadline = time.monotonic() + timeout
        while not condition() and (left := deadline - time.monotonic()) > 0:
            self.connection.process_data_events(time_limit=left)


def message(method, properties, body):
    """A received message, as the Rust side's `Message`."""
    found = {name: getattr(properties, name) for name in PROPERTIES}
    found["headers"], found["header_kinds"] = amqp_fields.to_json(properties.headers)
    found["exchange"] = method.exchange
    found["routing_key"] = method.routing_key
    found["delivery_tag"] = getattr(method, "delivery_tag", None)
    found["redelivered"] = getattr(method, "redelivered", False)
    found["body"] = base64.b64encode(body).decode()
    return found


def failure(error):
    code = getattr(error, "reply_code", None)
    text = getattr(error, "reply_text", None) or str(error) or repr(error)
    return {"kind": type(error).__name__, "code": code, "text": text}


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    # Some tests send headers nested a thousand levels deep.
    sys.setrecursionlimit(50_000)
    amqp_fields.install()
    try:
        peer = Peer(sys.argv[1])
    except Exception as error:
        answer({"id": 0, "error": failure(error)})
        return
    answer({"id": 0, "ok": None})
    for line in sys.stdin:
        command = json.loads(line)
        id = command.pop("id")
        try:
            answer({"id": id, "ok": peer.carry_out(command)})
        except Exception as error:
            answer({"id": id, "error": failure(error)})


if __name__ == "__main__":
    main()

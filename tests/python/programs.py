"""Shared by the programs of this directory: the command line and the end."""

import argparse
import signal

QUORUM = {"x-queue-type": "quorum"}


def arguments(description, generations=False, number=False):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("url", help="the broker's address")
    parser.add_argument("queue", help="the service's queue")
    if generations:
        parser.add_argument(
            "--generation",
            choices=["older", "current"],
            default="current",
            help="of the RabbitMQ tutorial; older: a plain queue, an exclusive callback queue; "
            "current: a durable quorum queue, direct reply-to",
        )
    if number:
        parser.add_argument("n", type=int)
    return parser.parse_args()


def stop_on_signal(connection, channel):
    """Makes SIGTERM and Ctrl-C end start_consuming between two messages. An exception could interrupt a frame."""

    def stop(*_):
        connection.add_callback_threadsafe(channel.stop_consuming)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

"""The tutorial's server with aio-pika."""

import asyncio
import signal

import aio_pika
import programs
from fibonacci import fib


async def answer(exchange, message):
    async with message.process(requeue=False):
        n = int(message.body.decode())
        print(f"fib({n})")
        await exchange.publish(
            aio_pika.Message(body=str(fib(n)).encode(), correlation_id=message.correlation_id),
            routing_key=message.reply_to,
            # Before RabbitMQ 4.2, a mandatory message comes back from direct reply-to although it was delivered.
            mandatory=False,
        )


async def main():
    given = programs.arguments(__doc__, generations=True)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)

    connection = await aio_pika.connect_robust(given.url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1)
        if given.generation == "older":
            queue = await channel.declare_queue(given.queue)
        else:
            queue = await channel.declare_queue(given.queue, durable=True, arguments=programs.QUORUM)
        await queue.consume(lambda message: answer(channel.default_exchange, message))
        print("ready")
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())

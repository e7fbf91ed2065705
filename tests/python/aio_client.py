"""The tutorial's client with aio-pika: several calls in flight over one callback queue.

Asks for the n-th number and, at the same time, for the nine before it; prints the n-th.
"""

import asyncio
import uuid

import aio_pika
import programs
from fibonacci import fib

PATIENCE = 30


class Client:
    def __init__(self, channel, queue, direct):
        self.channel = channel
        self.direct = direct
        self.queue = queue
        self.pending = {}

    async def listen(self):
        if self.direct:
            self.callback = await self.channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        else:
            self.callback = await self.channel.declare_queue(exclusive=True)
        await self.callback.consume(self.on_reply, no_ack=True)

    async def on_reply(self, message):
        reply = self.pending.pop(message.correlation_id, None)
        if reply is not None:
            reply.set_result(int(message.body))

    async def call(self, n):
        correlation = str(uuid.uuid4())
        reply = self.pending[correlation] = asyncio.get_running_loop().create_future()
        await self.channel.default_exchange.publish(
            aio_pika.Message(
                str(n).encode(),
                content_type="text/plain",
                correlation_id=correlation,
                reply_to=self.callback.name,
            ),
            routing_key=self.queue,
        )
        return await reply


async def main():
    given = programs.arguments(__doc__, generations=True, number=True)
    connection = await aio_pika.connect_robust(given.url)
    async with connection:
        client = Client(await connection.channel(), given.queue, given.generation == "current")
        await client.listen()
        questions = range(max(0, given.n - 9), given.n + 1)
        answers = await asyncio.wait_for(asyncio.gather(*map(client.call, questions)), PATIENCE)
        if answers != [fib(n) for n in questions]:
            raise SystemExit(f"wrong: {answers}")
        print(answers[-1])


if __name__ == "__main__":
    asyncio.run(main())

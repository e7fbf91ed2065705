// Calls `half` by hand over amqplib: prints the type and the body of each reply.
const { randomUUID } = require("node:crypto");
const amqp = require("amqplib");

const [url, queue] = process.argv.slice(2);

async function main() {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  const { queue: callback } = await channel.assertQueue("", { exclusive: true });
  const pending = new Map();
  await channel.consume(
    callback,
    (message) => {
      const { correlationId, type } = message.properties;
      pending.get(correlationId)?.(`${type} ${message.content}`);
      pending.delete(correlationId);
    },
    { noAck: true },
  );
  const call = (body, properties) =>
    new Promise((resolve) => {
      const correlationId = randomUUID();
      pending.set(correlationId, resolve);
      channel.sendToQueue(queue, Buffer.from(body), { correlationId, replyTo: callback, ...properties });
    });

  const json = { type: "half", contentType: "application/json" };
  console.log(await call('{"n": 8}', json));
  console.log(await call("7", json));
  console.log(await call('"eight"', json));
  // The smallest possible request.
  console.log(await call("8", {}));
  await connection.close();
}

main();

// Serves `half` by hand over amqplib.
const amqp = require("amqplib");

const [url, queue] = process.argv.slice(2);

async function main() {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "classic" } });
  await channel.prefetch(1);
  await channel.consume(queue, (message) => {
    const { correlationId, replyTo } = message.properties;
    const [n] = JSON.parse(message.content);
    const [type, body] = n % 2 === 0 ? ["result", n / 2] : ["error", `${n} is odd`];
    const properties = { type, correlationId, contentType: "application/json" };
    channel.sendToQueue(replyTo, Buffer.from(JSON.stringify(body)), properties);
    channel.ack(message);
  });
  console.log("ready");
  process.once("SIGTERM", () => connection.close());
}

main();

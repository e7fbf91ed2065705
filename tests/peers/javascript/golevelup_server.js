// Serves `half` with golevelup's AmqpConnection.
require("reflect-metadata");
const { AmqpConnection } = require("@golevelup/nestjs-rabbitmq");

const [url, queue] = process.argv.slice(2);

async function main() {
  const connection = new AmqpConnection({ uri: url, logger: { log() {}, error: console.error, warn() {}, debug() {} } });
  await connection.init();
  const queueOptions = { durable: true, arguments: { "x-queue-type": "classic" } };
  await connection.createRpc(async ([n]) => n / 2, { queue, routingKey: queue, queueOptions });
  console.log("ready");
  process.once("SIGTERM", () => connection.close());
}

main();

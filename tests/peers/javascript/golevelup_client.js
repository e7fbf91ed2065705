// Calls `half` with golevelup's AmqpConnection. It does not read `type`: a fault is what its body says.
require("reflect-metadata");
const { AmqpConnection } = require("@golevelup/nestjs-rabbitmq");

const [url, queue] = process.argv.slice(2);

async function main() {
  const connection = new AmqpConnection({ uri: url, logger: { log() {}, error: console.error, warn() {}, debug() {} } });
  await connection.init();
  const publishOptions = { type: "half", contentType: "application/json" };
  const call = (payload) => connection.request({ exchange: "", routingKey: queue, payload, publishOptions });
  console.log("result", await call({ n: 8 }));
  const { err } = await call({ n: "eight" });
  console.log("refused", err.fault);
  await connection.close();
}

main();

// Calls `half` with golevelup's AmqpConnection. It does not read `type`, only the body of a fault.
require("reflect-metadata");
const { AmqpConnection } = require("@golevelup/nestjs-rabbitmq");

const [url, queue] = process.argv.slice(2);

async function main() {
  const connection = new AmqpConnection({ uri: url, logger: { log() {}, error: console.error, warn() {}, debug() {} } });
  await connection.init();
  const publishOptions = { type: "half", contentType: "application/json" };
  const call = async (payload) => {
    const answer = await connection.request({ exchange: "", routingKey: queue, payload, publishOptions });
    if (answer?.err) throw new Error(`${answer.err.fault}: ${answer.err.message}`);
    return answer;
  };
  console.log("result", await call({ n: 8 }));
  await call({ n: "eight" }).catch((error) => console.log("refused", error.message));
  await connection.close();
}

main();

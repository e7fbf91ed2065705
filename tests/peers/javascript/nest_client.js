// Calls `half` with NestJS's client, its defaults and one serializer.
require("reflect-metadata");
const { Logger } = require("@nestjs/common");
const { ClientProxyFactory, Transport } = require("@nestjs/microservices");
const { lastValueFrom } = require("rxjs");

const [url, queue] = process.argv.slice(2);

// The pattern is the method, the data are the arguments by name.
const serializer = {
  serialize: ({ pattern, data }) => ({ ...data, options: { type: pattern, contentType: "application/json" } }),
};

async function main() {
  // Only the results are printed.
  Logger.overrideLogger(false);
  const client = ClientProxyFactory.create({
    transport: Transport.RMQ,
    options: { urls: [url], queue, noAssert: true, serializer },
  });
  const call = async (data) => {
    try {
      const half = await lastValueFrom(client.send("half", data));
      console.log("result", half);
    } catch (error) {
      console.log("refused", error.fault);
    }
  };
  await call({ n: 8 });
  await call({ n: "eight" });
  await client.close();
}

main();

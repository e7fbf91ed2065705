// Serves `half` with NestJS, its defaults, a serializer and a deserializer.
require("reflect-metadata");
const { Controller, Module } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { MessagePattern, RpcException, Transport } = require("@nestjs/microservices");
const { throwError } = require("rxjs");

const [url, queue] = process.argv.slice(2);

class Halves {
  half([n]) {
    return n % 2 === 0 ? n / 2 : throwError(() => new RpcException(`${n} is odd`));
  }
}
Controller()(Halves);
MessagePattern("half")(Halves.prototype, "half", Object.getOwnPropertyDescriptor(Halves.prototype, "half"));

class App {}
Module({ controllers: [Halves] })(App);

// The type is the pattern; the arguments are a list.
const deserializer = {
  deserialize: (data, { type, correlationId }) => ({ pattern: type, data, id: correlationId }),
};
// An object that JSON writes as the plain value.
const serializer = {
  serialize: ({ response, err }) => {
    const options = { type: err === undefined ? "result" : "error", contentType: "application/json" };
    return Object.assign(Object(err === undefined ? response : err.message), { options });
  },
};

async function main() {
  const app = await NestFactory.createMicroservice(App, {
    logger: false,
    transport: Transport.RMQ,
    options: {
      urls: [url],
      queue,
      queueOptions: { durable: true, arguments: { "x-queue-type": "classic" } },
      serializer,
      deserializer,
    },
  });
  await app.listen();
  console.log("ready");
  process.once("SIGTERM", () => app.close());
}

main();

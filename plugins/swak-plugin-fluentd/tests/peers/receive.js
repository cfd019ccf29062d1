// Receives events and acknowledges them. Prints the port it listens on, then each event as a line of
// JSON: tag, seconds, nanoseconds, record. Ends when its standard input does.
import { EventTime, FluentServer } from "@fluent-org/logger";

const server = new FluentServer({ listenOptions: { host: "127.0.0.1", port: 0 } });
server.on("entry", (tag, time, record) => {
  const exact = time instanceof EventTime ? [time.epoch, time.nano] : [time, 0];
  const plain = (_, value) => (value?.type === "Buffer" ? { bytes: value.data } : value);
  console.log(JSON.stringify([tag, ...exact, record], plain));
});
await server.listen();
console.log(server.port);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

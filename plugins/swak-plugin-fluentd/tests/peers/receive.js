// Receives events and acknowledges them. Prints the port it listens on, then each event as a line of
// JSON: tag, seconds, nanoseconds, record. Ends when its standard input does.
// Usage: node receive.js [OPTIONS], where options are those of FluentServer as JSON; the values in
// `tlsOptions` that name files are read.
import { readFileSync } from "node:fs";
import { EventTime, FluentServer } from "@fluent-org/logger";

const options = JSON.parse(process.argv[2] ?? "{}");
for (const name of ["key", "cert", "ca"]) {
  if (options.tlsOptions?.[name]) options.tlsOptions[name] = readFileSync(options.tlsOptions[name]);
}
const server = new FluentServer({ listenOptions: { host: "127.0.0.1", port: 0 }, ...options });
server.on("entry", (tag, time, record) => {
  const exact = time instanceof EventTime ? [time.epoch, time.nano] : [time, 0];
  const plain = (_, value) => (value?.type === "Buffer" ? { bytes: value.data } : value);
  console.log(JSON.stringify([tag, ...exact, record], plain));
});
await server.listen();
console.log(server.port ?? 0);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

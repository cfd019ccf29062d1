// Sends twenty events in one of the client's modes, each acknowledged, and ends with status 0.
// Usage: node send.js PORT MODE [OPTIONS], where options are `path`, `ca`, `cert` and `key` (files) and
// `security`, as JSON.
import { readFileSync } from "node:fs";
import { EventTime, FluentClient } from "@fluent-org/logger";

const [port, mode, json] = process.argv.slice(2);
const { path, ca, cert, key, security } = JSON.parse(json ?? "{}");
const read = (file) => (file ? readFileSync(file) : undefined);
const tls = ca ? { ca: read(ca), cert: read(cert), key: read(key), servername: "localhost" } : undefined;
const place = path ? { path } : { host: "127.0.0.1", port: Number(port) };
const client = new FluentClient("peer", {
  eventMode: mode,
  ack: { ackTimeout: 30000 },
  security,
  socket: { ...place, timeout: 30000, tls },
});
const events = [];
for (let i = 0; i < 20; i++) {
  const record = { i, text: "héllo", list: [1, 2.5, null], map: { yes: true }, big: "x".repeat(i * 100) };
  events.push(client.emit(`tag${i % 2}`, record, new EventTime(1700000000 + i, i)));
}
await Promise.all(events);
await client.disconnect();

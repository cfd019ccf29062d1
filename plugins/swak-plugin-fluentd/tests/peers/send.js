// Sends twenty events in one of the client's modes, each acknowledged, and ends with status 0.
// Usage: node send.js PORT MODE
import { EventTime, FluentClient } from "@fluent-org/logger";

const [port, mode] = process.argv.slice(2);
const client = new FluentClient("peer", {
  eventMode: mode,
  ack: { ackTimeout: 30000 },
  socket: { host: "127.0.0.1", port: Number(port), timeout: 30000 },
});
const events = [];
for (let i = 0; i < 20; i++) {
  const record = { i, text: "héllo", list: [1, 2.5, null], map: { yes: true }, big: "x".repeat(i * 100) };
  events.push(client.emit(`tag${i % 2}`, record, new EventTime(1700000000 + i, i)));
}
await Promise.all(events);
await client.disconnect();

// Sends twenty events with the older client `fluent-logger`, each acknowledged, and ends with status 0.
// Usage and options: as those of send.js.
const { readFileSync } = require("node:fs");
const { EventTime, createFluentSender } = require("fluent-logger");

const [port, mode, json] = process.argv.slice(2);
const { path, ca, cert, key, security } = JSON.parse(json ?? "{}");
const read = (file) => (file ? readFileSync(file) : undefined);
const sender = createFluentSender("peer", {
  host: "127.0.0.1",
  port: Number(port),
  path,
  eventMode: mode,
  timeout: 30,
  requireAckResponse: true,
  ackResponseTimeout: 30000,
  security,
  tls: Boolean(ca),
  tlsOptions: { ca: read(ca), cert: read(cert), key: read(key), servername: "localhost" },
});
sender.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
// The client begins to listen for an ack when its write has come back, and an ack that is quicker, as it may
// be over TLS, is lost to it. So nothing is read before.
sender.on("connect", () => {
  const socket = sender._socket;
  if (Object.hasOwn(socket, "write")) return;
  socket.write = (packet, written) => {
    socket.pause();
    return Object.getPrototypeOf(socket).write.call(socket, packet, () => {
      written?.();
      socket.resume();
    });
  };
});
let left = 20;
for (let i = 0; i < 20; i++) {
  const record = { i, text: "héllo", list: [1, 2.5, null], map: { yes: true }, big: "x".repeat(i * 100) };
  sender.emit(`tag${i % 2}`, record, new EventTime(1700000000 + i, i), (error) => {
    if (error) throw error;
    if (--left === 0) sender.end();
  });
}

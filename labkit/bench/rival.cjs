// Node's ws as a rival: echoes without compression, says where it listens, and ends with its input.
"use strict";
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false }, () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}`),
);
server.on("connection", (connection) => {
  connection.on("message", (data, binary) => connection.send(data, { binary }));
  connection.on("error", () => connection.terminate());
});
process.stdin.on("end", () => process.exit()).resume();

// Node's `ws`, with the loop that its README shows for a broadcast.
import { createRequire } from "node:module";

const require = createRequire(process.env.LAB_NODE_MODULES + "/");
const { WebSocket, WebSocketServer } = require("ws");

const rooms = new Map();
const early = [];
const source = new WebSocket(process.env.LAB_SOURCE, { perMessageDeflate: false });

const joinUpstream = (text) => {
  if (source.readyState === WebSocket.OPEN) source.send(text);
  else early.push(text);
};

source.on("open", () => early.splice(0).forEach((text) => source.send(text)));
source.on("error", () => process.exit(1));
source.on("message", (data) => {
  const message = JSON.parse(data);
  if (message.type !== "price") return;
  for (const socket of rooms.get(message.symbol) ?? []) {
    if (socket.readyState === WebSocket.OPEN) socket.send(data, { binary: false });
  }
});

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  perMessageDeflate: false,
});
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const wish = JSON.parse(data);
    if (wish.type !== "join_symbol") return;
    if (!rooms.has(wish.symbol)) {
      rooms.set(wish.symbol, new Set());
      joinUpstream(data.toString());
    }
    rooms.get(wish.symbol).add(socket);
  });
  socket.on("close", () => rooms.forEach((members) => members.delete(socket)));
  socket.on("error", () => socket.terminate());
});

// graphql-ws on ws: node live_ws.mjs, with PORT in the environment. POST /tell?seats=N tells N seats.
import { createServer } from "node:http";
import { makeExecutableSchema } from "@graphql-tools/schema";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { tell, typeDefs, watch } from "./seats.mjs";

const resolvers = { Subscription: { seatMapEvents: { subscribe: watch } } };
const server = createServer((request, response) => {
  tell(Number(new URL(request.url, "http://localhost").searchParams.get("seats") ?? 0));
  response.end();
});
const sockets = new WebSocketServer({ server, path: "/graphql", perMessageDeflate: false });
useServer({ schema: makeExecutableSchema({ typeDefs, resolvers }) }, sockets);
server.listen(Number(process.env.PORT), "127.0.0.1");

// Mercurius' subscriptions: node live_mercurius.mjs, with PORT in the environment. POST /tell?seats=N tells N seats.
import Fastify from "fastify";
import mercurius from "mercurius";
import { tell, typeDefs, watch } from "./seats.mjs";

const app = Fastify();
const resolvers = { Subscription: { seatMapEvents: { subscribe: watch } } };
app.register(mercurius, { schema: typeDefs, resolvers, subscription: { fullWsTransport: true }, jit: 1 });
app.post("/tell", async (request) => tell(Number(request.query.seats)));
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });

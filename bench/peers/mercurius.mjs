// Mercurius with graphql-jit: node mercurius.mjs, with PORT, DATABASE_URL and CONTRACT in the environment.
import Fastify from "fastify";
import mercurius from "mercurius";
import { open, resolvers } from "./data.mjs";
import { schema } from "./schema.mjs";

const app = Fastify();
app.register(mercurius, { schema: schema(resolvers(open(process.env.DATABASE_URL))), jit: 1, graphiql: false });
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });

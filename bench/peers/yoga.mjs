// GraphQL Yoga with its JIT; CACHE=1 adds its response cache. PORT, DATABASE_URL and CONTRACT as for mercurius.mjs.
import { createServer } from "node:http";
import { useGraphQlJit } from "@envelop/graphql-jit";
import { useResponseCache } from "@graphql-yoga/plugin-response-cache";
import { createYoga } from "graphql-yoga";
import { open, resolvers } from "./data.mjs";
import { schema } from "./schema.mjs";

const plugins = [useGraphQlJit()];
if (process.env.CACHE) plugins.push(useResponseCache({ session: () => null, ttl: 3_600_000 }));
const yoga = createYoga({ schema: schema(resolvers(open(process.env.DATABASE_URL))), plugins, logging: false, graphiql: false });
createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");

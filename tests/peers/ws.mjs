// graphql-ws' own client.
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { codeOf, ENDLESS, INVALID, MUTATION, PARTIAL, QUERY, report, SUBSCRIPTION, url } from "./documents.mjs";

const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, lazy: false, keepAlive: 50 });
const ponged = new Promise((resolve) => client.on("pong", resolve));

async function all(query, variables) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) results.push(result);
  return results;
}

const [query] = await all(QUERY, { name: "Ada" });
const [mutation] = await all(MUTATION, { by: 2 });
const [partial] = await all(PARTIAL);
const invalid = await all(INVALID).catch((errors) => errors);
const counted = await all(SUBSCRIPTION, { to: 3 });
const endless = client.iterate({ query: ENDLESS });
const first = await endless.next();
await endless.return();
await ponged;
report({
  query: query.data.hello,
  mutation: mutation.data.change,
  partial: [partial.data.hello, codeOf(partial.errors)],
  invalid: codeOf(invalid),
  subscription: counted.map(({ data }) => data.count.number),
  first: first.value.data.forever,
});

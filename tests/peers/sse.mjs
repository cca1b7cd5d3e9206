// graphql-sse's client, in its distinct connections mode.
import { createClient } from "graphql-sse";
import { codeOf, ENDLESS, INVALID, MUTATION, PARTIAL, QUERY, report, SUBSCRIPTION, url } from "./documents.mjs";

const client = createClient({ url, retryAttempts: 0 });

async function all(query, variables) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) results.push(result);
  return results;
}

const [query] = await all(QUERY, { name: "Ada" });
const [mutation] = await all(MUTATION, { by: 2 });
const [partial] = await all(PARTIAL);
const [invalid] = await all(INVALID);
const counted = await all(SUBSCRIPTION, { to: 3 });
const endless = client.iterate({ query: ENDLESS });
const first = await endless.next();
await endless.return();
report({
  query: query.data.hello,
  mutation: mutation.data.change,
  partial: [partial.data.hello, codeOf(partial.errors)],
  invalid: codeOf(invalid.errors),
  subscription: counted.map(({ data }) => data.count.number),
  first: first.value.data.forever,
});

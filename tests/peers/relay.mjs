// Relay's runtime: its network layer, with fetch and graphql-sse as its documentation has them.
import { createClient } from "graphql-sse";
import relay from "relay-runtime";
import { codeOf, ENDLESS, INVALID, MUTATION, PARTIAL, QUERY, report, SUBSCRIPTION, url } from "./documents.mjs";

const { Network, Observable } = relay;
const events = createClient({ url, retryAttempts: 0 });

async function fetchAnswer({ text: query }, variables) {
  const headers = { "Content-Type": "application/json", Accept: "application/graphql-response+json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  return await response.json();
}

const subscribe = ({ text: query }, variables) =>
  Observable.create((sink) => events.subscribe({ query, variables }, sink));

const network = Network.create(fetchAnswer, subscribe);
const ask = (operationKind, text, variables = {}) =>
  network.execute({ operationKind, text, name: "Toy", id: null, cacheID: text, metadata: {} }, variables, { force: true });

const query = await ask("query", QUERY, { name: "Ada" }).toPromise();
const mutation = await ask("mutation", MUTATION, { by: 2 }).toPromise();
const partial = await ask("query", PARTIAL).toPromise();
const invalid = await ask("query", INVALID).toPromise();
const counted = await new Promise((resolve, reject) => {
  const seen = [];
  ask("subscription", SUBSCRIPTION, { to: 3 }).subscribe({
    next: ({ data }) => seen.push(data.count.number),
    complete: () => resolve(seen),
    error: reject,
  });
});
const first = await new Promise((resolve, reject) => {
  const running = ask("subscription", ENDLESS).subscribe({
    next: ({ data }) => {
      running.unsubscribe();
      resolve(data.forever);
    },
    error: reject,
  });
});
report({
  query: query.data.hello,
  mutation: mutation.data.change,
  partial: [partial.data.hello, codeOf(partial.errors)],
  invalid: codeOf(invalid.errors),
  subscription: counted,
  first,
});

// urql's core with graphql-ws' client, as its documentation has it.
import { Client, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { pipe, subscribe, take, toPromise } from "wonka";
import { WebSocket } from "ws";
import { codeOf, ENDLESS, INVALID, MUTATION, PARTIAL, QUERY, report, SUBSCRIPTION, url } from "./documents.mjs";

// lazy: false keeps one connection: a client that closes it between two operations may miss the second.
const socket = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, lazy: false });
const forwardSubscription = (request) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? "" }, sink) }),
});
const client = new Client({
  url,
  exchanges: [subscriptionExchange({ enableAllOperations: true, forwardSubscription })],
  preferGetMethod: false,
});

const query = await client.query(QUERY, { name: "Ada" }).toPromise();
const mutation = await client.mutation(MUTATION, { by: 2 }).toPromise();
const partial = await client.query(PARTIAL, {}).toPromise();
const invalid = await client.query(INVALID, {}).toPromise();
const counted = await new Promise((resolve) => {
  const seen = [];
  pipe(
    client.subscription(SUBSCRIPTION, { to: 3 }),
    subscribe(({ data, error, hasNext }) => {
      if (error) throw error;
      if (hasNext) seen.push(data.count.number);
      else resolve(seen);
    }),
  );
});
const first = await pipe(client.subscription(ENDLESS, {}), take(1), toPromise);
report({
  query: query.data.hello,
  mutation: mutation.data.change,
  partial: [partial.data.hello, codeOf(partial.error.graphQLErrors)],
  invalid: codeOf(invalid.error.graphQLErrors),
  subscription: counted,
  first: first.data.forever,
});

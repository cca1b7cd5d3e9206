// graphql-ws' client when its server stops: it is told 1012, and comes back by itself to whoever answers next.
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { ENDLESS, report, url } from "./documents.mjs";

const closed = [];
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  retryAttempts: 100,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
});
client.on("closed", ({ code }) => closed.push(code));
let seen = 0;
client.subscribe(
  { query: ENDLESS },
  {
    next: () => {
      seen += 1;
      if (seen === 2) report({ first: closed[0], seen });
    },
    error: (error) => report({ error: String(error), closed }),
    complete: () => report({ completed: closed }),
  },
);

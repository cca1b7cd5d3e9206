// Runs every audit of graphql-http against the server at the given address, and prints what came of each as JSON.
import { serverAudits } from "graphql-http";

const url = process.argv[2];
const results = await Promise.all(serverAudits({ url }).map(({ fn }) => fn()));
console.log(
  JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason: reason ?? null }))),
);

// What every client asks the toy server, and how it prints what it was given.
export const url = process.argv[2];
export const QUERY = "query Greet($name: String!) { hello(name: $name) }";
export const MUTATION = "mutation Change($by: Int!) { change(by: $by) }";
export const PARTIAL = "query Partial { hello refusal }";
export const INVALID = "query Invalid { nothing }";
export const SUBSCRIPTION = "subscription Count($to: Int!) { count(to: $to) { number cursor } }";
export const ENDLESS = "subscription Endless { forever }";

// The code of the first error, however a client wraps it.
export const codeOf = (errors) => errors?.[0]?.extensions?.code ?? null;

export function report(seen) {
  console.log(JSON.stringify(seen));
  process.exit(0);
}

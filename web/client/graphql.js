/**
 * GraphQL over HTTP: `query()` and `mutate()`.
 *
 * Three kinds of "no" are told apart:
 *   - a *problem* is data: the union member of a mutation's answer. `mutate()` returns it; switch on `__typename`.
 *   - a *refusal* (`Refusal`) is thrown: `errors[0]` of a query, with its stable `code` and, where there is one, `field`.
 *   - `Unreachable` is thrown when no answer came, after retrying what is safe to repeat.
 */

import { observe } from "./clock.js";
import { keyFor, settle } from "./idempotency.js";
import * as session from "./session.js";

export const ENDPOINT = "/graphql";

const ANSWER_WITHIN_MS = 60_000;
const PAUSES_MS = [400, 1600];
// What is refused as InvalidInput began nothing, and says nothing of what was sent before it.
const UNDECIDED_PROBLEMS = new Set(["Conflict", "InvalidInput", "RateLimited", "Unavailable"]);
const UNDECIDED_PAYMENTS = new Set(["INITIATED", "REQUIRES_ACTION", "PROCESSING", "AUTHORIZED"]);

/** The server understood the request and refused it. `code` is stable; `message` is a sentence for a person. */
export class Refusal extends Error {
  constructor({ message, extensions = {} }, retryAfterSeconds) {
    super(message);
    this.name = "Refusal";
    this.code = extensions.code ?? "UNKNOWN";
    this.field = extensions.field ?? null;
    this.retryAfterSeconds = extensions.retryAfter ?? retryAfterSeconds;
  }
}

/** No answer came: the network is down, or the server is. */
export class Unreachable extends Error {
  constructor(cause) {
    super("Jetway cannot be reached.", { cause });
    this.name = "Unreachable";
  }
}

/** @returns {boolean} whether a mutation's answer is one of the `Problem` types (only they carry a `code`) */
export const isProblem = (answer) => typeof answer?.code === "string";

/**
 * Reads. Repeats itself when the network fails, for reading twice does no harm.
 * @param {import("./documents.js").Operation} operation
 * @param {object} [variables]
 * @returns {Promise<object>} `data`
 * @throws {Refusal | Unreachable}
 */
export function query(operation, variables = {}) {
  return send(operation, variables, { repeatable: true });
}

/**
 * Changes something. Keyed operations get their idempotency key here and may therefore be repeated safely.
 * @param {import("./documents.js").Operation} operation
 * @param {object} input the mutation's one `input`, without `idempotencyKey`
 * @returns {Promise<object>} the union member that the mutation answered
 * @throws {Refusal | Unreachable}
 */
export async function mutate(operation, input) {
  const { operationName, keyed } = operation;
  const idempotencyKey = keyed ? await keyFor(operationName, input) : undefined;
  const data = await send(operation, { input: { ...input, idempotencyKey } }, { repeatable: keyed });
  const [answer] = Object.values(data);
  if (keyed && isFinal(answer)) settle(operationName);
  return answer;
}

/** Whether the intent is over: a payment under way and "ask again later" are not. */
function isFinal(answer) {
  if (answer.__typename === "Payment") return !UNDECIDED_PAYMENTS.has(answer.status);
  return !UNDECIDED_PROBLEMS.has(answer.__typename);
}

async function send(operation, variables, { repeatable }) {
  const token = await session.accessToken();
  const answer = await post(operation, variables, token, repeatable);
  const [error] = answer.body?.errors ?? [];
  if (token && (answer.status === 401 || error?.extensions?.code === "UNAUTHENTICATED")) {
    // The server no longer takes this token (revoked, or keys rotated): renew it once and ask again.
    const renewed = await session.renew();
    return settled(await post(operation, variables, renewed, repeatable));
  }
  return settled(answer);
}

function settled({ body, status, retryAfterSeconds }) {
  const [error] = body?.errors ?? [];
  if (error) throw new Refusal(error, retryAfterSeconds);
  const data = body?.data;
  if (!data) throw new Refusal({ message: `The server answered ${status} without data.` }, retryAfterSeconds);
  // Root fields are nullable, so a mutation that failed inside answers null beside its error, handled above.
  return data;
}

/** One POST, sent again after a pause when no answer came and `repeatable` says that this is harmless. */
async function post({ operationName, query: text }, variables, token, repeatable) {
  const pauses = repeatable ? PAUSES_MS : [];
  for (let attempt = 0; ; attempt += 1) {
    const sentAt = Date.now();
    try {
      const response = await fetch(ENDPOINT, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/graphql-response+json, application/json",
          ...(token && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ operationName, query: text, variables }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      observe(response.headers.get("date"), sentAt, Date.now());
      return {
        status: response.status,
        retryAfterSeconds: Number(response.headers.get("retry-after")) || undefined,
        body: await response.json(),
      };
    } catch (cause) {
      if (attempt >= pauses.length) throw new Unreachable(cause);
      await new Promise((resume) => setTimeout(resume, pauses[attempt]));
    }
  }
}

session.useTransport(async (operation, input) => {
  const { body } = await post(operation, { input }, null, false);
  const [answer] = Object.values(body?.data ?? {});
  return answer ?? null;
});

/**
 * One idempotency key for one intent.
 *
 * The key is drawn when an input is first sent and kept, by a fingerprint of that input, until a final answer came.
 * The same click sent again after a lost reply, or after a reload, is therefore the same request to the server, even
 * where another input was tried and refused between the two: a payment under way is gone on with by its own key only.
 * Guests must send a UUIDv4: whoever knows the key of a guest may read the answer that it got.
 */

const STORE = "jetway.keys";

/** A random UUIDv4. `crypto.randomUUID` exists in secure contexts only (https, localhost). */
function uuid4() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function fingerprint(input) {
  const text = JSON.stringify(input);
  if (!crypto.subtle) return text;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const read = () => JSON.parse(sessionStorage.getItem(STORE) ?? "{}");
const write = (keys) => sessionStorage.setItem(STORE, JSON.stringify(keys));

/**
 * @param {string} operationName
 * @param {object} input the mutation's input without its key
 * @returns {Promise<string>} the key of this intent: the old one if the same input is still without a final answer
 */
export async function keyFor(operationName, input) {
  const print = await fingerprint(input);
  const keys = read();
  const known = (keys[operationName] ??= {});
  known[print] ??= uuid4();
  write(keys);
  return known[print];
}

/** A final answer came: the next click, whatever of this operation was sent before, is a new intent. */
export function settle(operationName) {
  const keys = read();
  delete keys[operationName];
  write(keys);
}

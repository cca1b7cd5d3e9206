/**
 * Who is signed in on this browser.
 *
 * The access token (15 minutes) lives in memory. The refresh token lives in localStorage, shared by all tabs; it is
 * used once and replaced by each answer, so renewing takes a lock across tabs: two tabs that send the same refresh
 * token would look like a thief to the server, which then ends the session. (An SPA with a backend of its own keeps the
 * refresh token in an HttpOnly cookie instead.)
 */

import { serverNow } from "./clock.js";
import { RefreshSession, SignOut } from "./documents.js";

const STORE = "jetway.session";
const RENEW_BEFORE_MS = 30_000;

/** Fires "change" whenever somebody signs in or out, here or in another tab. */
export const changes = new EventTarget();

let access = null; // { token, expiresAt }
let transport = null;

/** graphql.js hands over its POST, so that the two modules need not import each other's insides. */
export function useTransport(send) {
  transport = send;
}

const stored = () => JSON.parse(localStorage.getItem(STORE) ?? "null");

/** @returns {{ id: string, email: string, name: string } | null} */
export const user = () => stored()?.user ?? null;

/** Keeps what `SignedIn` answered. */
export function accept({ user: who, accessToken: token, accessTokenExpiresAt, refreshToken }) {
  access = { token, expiresAt: Date.parse(accessTokenExpiresAt) };
  localStorage.setItem(STORE, JSON.stringify({ user: who, refreshToken }));
  changes.dispatchEvent(new Event("change"));
}

function forget() {
  access = null;
  localStorage.removeItem(STORE);
  changes.dispatchEvent(new Event("change"));
}

/** @returns {Promise<string | null>} a token that is good for the next half minute; null for a guest */
export async function accessToken() {
  if (!stored()) return null;
  if (access && access.expiresAt - serverNow() > RENEW_BEFORE_MS) return access.token;
  return renew();
}

/** Trades the refresh token for new ones. @returns {Promise<string | null>} null if the session is over */
export async function renew() {
  const stale = access?.token;
  return exclusively(async () => {
    if (access && access.token !== stale) return access.token;
    const kept = stored();
    if (!kept) return null;
    const answer = await transport(RefreshSession, { refreshToken: kept.refreshToken });
    if (answer?.__typename === "SignedIn") {
      accept(answer);
      return answer.accessToken;
    }
    // Only a clear "no" ends the session; a busy server does not.
    if (["Forbidden", "NotFound", "InvalidInput"].includes(answer?.__typename)) forget();
    return null;
  });
}

/** One renewal at a time over all tabs (Web Locks need a secure context; without them, over this tab). */
let queue = Promise.resolve();
function exclusively(work) {
  if (navigator.locks) return navigator.locks.request(STORE, work);
  queue = queue.then(work, work);
  return queue;
}

/** Signs out here, or on every device. The local session ends even if the server cannot be reached. */
export async function signOut({ everywhere = false } = {}) {
  const kept = stored();
  forget();
  if (kept) await transport(SignOut, { refreshToken: kept.refreshToken, everywhere });
}

addEventListener("storage", ({ key }) => {
  if (key !== STORE) return;
  access = null;
  changes.dispatchEvent(new Event("change"));
});

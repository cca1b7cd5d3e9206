/**
 * Live data: a small client of the `graphql-transport-ws` protocol.
 * https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 *
 * One socket carries all subscriptions of the page. It opens with the first and closes after the last. When it breaks
 * it is opened again after a pause that grows and is jittered (so that a restarted server is not met by everybody at
 * once), and every subscription goes on with `after` = the cursor of the last event it saw: nothing is missed.
 */

import * as session from "./session.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;
const ACK_WITHIN_MS = 10_000;
const PING_EVERY_MS = 20_000;
const PONG_WITHIN_MS = 10_000;
const LINGER_MS = 2_000;
const SOON_MS = 2_000;

/** Close codes by which the server says that this client is at fault: trying again would change nothing. */
const FATAL = new Set([4400, 4406, 4409]);

/** Close codes by which it refuses the token: the next attempt comes with a new one. */
const TOKEN_REFUSED = new Set([4401, 4403]);

/** Refusals of a stream that will pass. */
const PASSING = new Set(["UNAVAILABLE", "RATE_LIMITED"]);

class LiveClient {
  #socket = null;
  #acknowledged = false;
  #subscriptions = new Map();
  #nextId = 1;
  #failures = 0;
  #tokenRefused = false;
  #timers = {};
  #watchers = new Set();
  #state = "idle";

  /**
   * @param {import("./documents.js").Operation} operation a subscription with one root field
   * @param {object} variables `after` may be given; it is kept up to date from each event's `cursor`
   * @param {{ onEvent: (event: object) => void, onRefused?: (errors: object[]) => void }} handlers
   * @returns {() => void} ends the subscription
   */
  subscribe(operation, variables, handlers) {
    const subscription = { operation, variables: { ...variables }, handlers };
    this.#admit(subscription);
    clearTimeout(this.#timers.linger);
    if (this.#acknowledged) this.#begin(subscription);
    else if (!this.#socket) this.#connect();
    return () => this.#end(subscription);
  }

  /** Calls `watcher("live" | "connecting" | "offline" | "idle")` now and at every change. @returns {() => void} */
  watch(watcher) {
    this.#watchers.add(watcher);
    watcher(this.#state);
    return () => this.#watchers.delete(watcher);
  }

  /** Skips the pause before the next attempt: the network is back, or the tab is looked at again. */
  hurry() {
    if (!this.#timers.retry) return;
    clearTimeout(this.#timers.retry);
    this.#connect();
  }

  /** Closes and opens again: the visitor signed in or out, and the socket speaks for who they were. */
  restart() {
    if (!this.#socket) return;
    this.#failures = 0;
    this.#socket.close(1000);
  }

  #connect() {
    this.#timers.retry = null;
    this.#tell("connecting");
    const socket = new WebSocket(endpoint(), "graphql-transport-ws");
    this.#socket = socket;
    this.#timers.ack = setTimeout(() => socket.close(4408, "no acknowledgement"), ACK_WITHIN_MS);
    socket.onopen = () => this.#introduce(socket);
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(socket, code);
  }

  async #introduce(socket) {
    try {
      const token = await (this.#tokenRefused ? session.renew() : session.accessToken());
      this.#tokenRefused = false;
      const payload = token ? { authorization: `Bearer ${token}` } : undefined;
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "connection_init", payload }));
    } catch {
      // The session could not be renewed because HTTP fails: this is one failed attempt to connect.
      socket.close(4408, "no token");
    }
  }

  #receive(message) {
    this.#expectPong(false);
    const subscription = this.#subscriptions.get(message.id);
    switch (message.type) {
      case "connection_ack":
        clearTimeout(this.#timers.ack);
        this.#acknowledged = true;
        this.#failures = 0;
        this.#timers.ping = setInterval(() => this.#ping(), PING_EVERY_MS);
        this.#tell("live");
        for (const waiting of this.#subscriptions.values()) this.#begin(waiting);
        break;
      case "ping":
        this.#send({ type: "pong", payload: message.payload });
        break;
      case "next":
        if (subscription) this.#deliver(subscription, message.payload);
        break;
      case "error":
        if (subscription) this.#stopped(subscription, message.payload);
        break;
      case "complete":
        // Our streams have no end of their own: the server is about to stop, or has no more room.
        if (subscription) this.#again(subscription, SOON_MS);
        break;
    }
  }

  #deliver(subscription, payload) {
    if (payload.errors) {
      this.#stopped(subscription, payload.errors);
      return;
    }
    const [event] = Object.values(payload.data);
    if (event.cursor) subscription.variables.after = event.cursor;
    subscription.handlers.onEvent(event);
  }

  /** The server ended this stream with errors. What may pass is tried again; a refusal is told. */
  #stopped(subscription, errors) {
    const code = errors[0]?.extensions?.code;
    if (code === "INVALID_CURSOR" && subscription.variables.after) {
      delete subscription.variables.after;
      this.#again(subscription, 0);
    } else if (PASSING.has(code)) {
      this.#again(subscription, SOON_MS);
    } else {
      this.#subscriptions.delete(subscription.id);
      subscription.handlers.onRefused?.(errors);
    }
  }

  /** Gives the subscription an id that was never used on this socket, under which late messages cannot reach it. */
  #admit(subscription) {
    subscription.id = String(this.#nextId++);
    subscription.begun = false;
    this.#subscriptions.set(subscription.id, subscription);
  }

  #again(subscription, pause) {
    this.#subscriptions.delete(subscription.id);
    this.#admit(subscription);
    setTimeout(() => this.#begin(subscription), pause * (0.5 + Math.random()));
  }

  #begin(subscription) {
    const { id, begun, operation, variables } = subscription;
    if (begun || !this.#acknowledged || !this.#subscriptions.has(id)) return;
    subscription.begun = true;
    const { operationName, query } = operation;
    this.#send({ id, type: "subscribe", payload: { operationName, query, variables } });
  }

  #end(subscription) {
    if (!this.#subscriptions.delete(subscription.id)) return;
    if (subscription.begun) this.#send({ id: subscription.id, type: "complete" });
    if (this.#subscriptions.size) return;
    this.#timers.linger = setTimeout(() => this.#socket?.close(1000, "nothing to watch"), LINGER_MS);
  }

  #ping() {
    this.#send({ type: "ping" });
    this.#expectPong(true);
  }

  /** A socket can be dead for minutes before the browser notices; an unanswered ping shows it. */
  #expectPong(awaited) {
    clearTimeout(this.#timers.pong);
    if (awaited) this.#timers.pong = setTimeout(() => this.#socket?.close(4408, "no pong"), PONG_WITHIN_MS);
  }

  #closed(socket, code) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timers.ack);
    clearTimeout(this.#timers.pong);
    clearInterval(this.#timers.ping);
    this.#socket = null;
    this.#acknowledged = false;
    this.#tokenRefused = TOKEN_REFUSED.has(code);
    for (const subscription of this.#subscriptions.values()) subscription.begun = false;
    if (!this.#subscriptions.size) return this.#tell("idle");
    this.#tell("offline");
    if (FATAL.has(code)) return undefined;
    const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
    this.#timers.retry = setTimeout(() => this.#connect(), ceiling * (0.5 + Math.random() / 2));
    return undefined;
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #tell(state) {
    this.#state = state;
    for (const watcher of this.#watchers) watcher(state);
  }
}

function endpoint() {
  const url = new URL("/graphql", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

/** The page's one live connection. */
export const live = new LiveClient();

let signedInAs = session.user()?.id;
session.changes.addEventListener("change", () => {
  if (session.user()?.id === signedInAs) return;
  signedInAs = session.user()?.id;
  live.restart();
});
addEventListener("online", () => live.hurry());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && live.hurry());

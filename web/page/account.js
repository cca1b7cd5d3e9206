/** Sign in, register, sign out. A guest's hold stays theirs: it can be booked after signing in. */

import { Register, SignIn } from "../client/documents.js";
import { isProblem, mutate } from "../client/graphql.js";
import * as session from "../client/session.js";
import { announce, field, h, whileBusy } from "./dom.js";
import { clear, guarded, showProblem } from "./notice.js";
import { go, href } from "./router.js";
import { trip } from "./store.js";

function credentials(autocomplete) {
  return [
    field(
      "E-mail",
      h("input", {
        type: "email",
        name: "email",
        id: `email-${autocomplete}`,
        required: true,
        autocomplete: "username",
      }),
    ),
    field(
      "Password",
      h("input", { type: "password", name: "password", id: `password-${autocomplete}`, required: true, autocomplete }),
      {
        hint: autocomplete === "new-password" ? "Twelve characters or more; a few words make a good one" : undefined,
      },
    ),
  ];
}

/** A form whose fields are the mutation's input. */
function accountForm(title, operation, fields, busy) {
  const notice = h("div", { class: "notice" });
  const submit = h("button", { class: "primary", type: "submit" }, title);
  const id = `form-${operation.operationName}`;
  async function send(event) {
    event.preventDefault();
    clear(notice);
    const input = Object.fromEntries(new FormData(event.target));
    const answer = await guarded(notice, () => whileBusy(submit, busy, () => mutate(operation, input)));
    if (!answer) return;
    if (isProblem(answer)) {
      showProblem(notice, answer);
      event.target.elements[answer.field?.split(".").at(-1)]?.focus();
      return;
    }
    session.accept(answer);
    announce(`Welcome, ${answer.user.name}.`);
    go(trip().hold ? "passengers" : "account");
  }
  return h(
    "form",
    { class: "card", "aria-labelledby": id, onsubmit: send },
    h("h2", { id }, title),
    fields,
    notice,
    submit,
  );
}

function signedIn({ name, email }) {
  const leave =
    (everywhere) =>
    async ({ currentTarget }) => {
      await whileBusy(currentTarget, "Signing out…", () => session.signOut({ everywhere }));
      announce("You are signed out.");
    };
  return h(
    "div",
    { class: "card" },
    h("h2", null, name),
    h("p", null, email),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "primary", onclick: leave(false) }, "Sign out"),
      h("button", { type: "button", class: "secondary", onclick: leave(true) }, "Sign out on every device"),
    ),
  );
}

/** The view at `#/account`. */
export function render(root) {
  const place = h("div", { class: "account" });
  root.append(h("header", { class: "step-head" }, h("h1", { tabindex: "-1" }, "Your account")), place);
  const show = () => {
    const who = session.user();
    place.replaceChildren(
      ...(who
        ? [signedIn(who)]
        : [
            accountForm("Sign in", SignIn, credentials("current-password"), "Signing in…"),
            accountForm(
              "Register",
              Register,
              [
                field("Name", h("input", { type: "text", name: "name", required: true, autocomplete: "name" })),
                credentials("new-password"),
              ],
              "Registering…",
            ),
          ]),
    );
  };
  show();
  session.changes.addEventListener("change", show);
  return () => session.changes.removeEventListener("change", show);
}

/** The link in the page's head: "Sign in", or who is signed in. */
export function mountAccountLink(place) {
  const link = h("a", { href: href("account") });
  const show = () => (link.textContent = session.user()?.name ?? "Sign in");
  session.changes.addEventListener("change", show);
  show();
  place.append(link);
}

/**
 * Paying for the booking.
 *
 * `paymentMethod` is a gateway's token: no card number reaches Jetway. The sandbox lists test cards; with a real gateway
 * the token comes from that gateway's own form. When the bank wants to see the payer (3-D Secure), `payBooking` answers
 * REQUIRES_ACTION with a `redirectUrl`: we show it in a frame, and when it comes back we send *the same* input again.
 * A gateway's own page (PayPal) lets nobody frame it: there the payer leaves us, with the method kept in the store, and
 * comes back to this view, which then sends the same input by itself.
 */

import { PayBooking, PaymentMethods, PaymentSettings } from "../client/documents.js";
import { isProblem, mutate, query } from "../client/graphql.js";
import { openDialog } from "./dialog.js";
import { announce, field, h, whileBusy } from "./dom.js";
import { money, sentence } from "./format.js";
import { clear, guarded, showProblem } from "./notice.js";
import { priceLines } from "./results.js";
import { go } from "./router.js";
import { trip, update } from "./store.js";

/** Our own page, to which the bank's page returns: inside the frame it tells us that it did, otherwise it leads here. */
const RETURN_URL = new URL("/static/returned.html", location.origin).href;
const ASK_AGAIN_MS = 1_500;
const ASK_AT_MOST = 40;

/** Shows the bank's page. @returns {Promise<boolean>} true when it came back, false when it was closed before */
function challenge(redirectUrl) {
  return new Promise((resolve) => {
    const frame = h("iframe", { src: redirectUrl, title: "Your bank's check", class: "challenge" });
    const listen = ({ origin, source, data }) => {
      if (origin !== location.origin || source !== frame.contentWindow || data !== "jetway:returned") return;
      resolve(true);
      dialog.close();
    };
    addEventListener("message", listen);
    const dialog = openDialog("Your bank wants to be sure it is you", [frame], {
      wide: true,
      onclose: () => {
        removeEventListener("message", listen);
        resolve(false);
      },
    });
  });
}

/** Goes to a gateway's own page; does not come back to whoever called. */
function leaveFor(redirectUrl, paymentMethod) {
  update({ leftToPay: { bookingId: trip().booking.id, paymentMethod } });
  // Who comes back by the browser's button may find this page as it was left, still busy.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload(), { once: true });
  location.assign(redirectUrl);
  return new Promise(() => {});
}

const pause = () => new Promise((resume) => setTimeout(resume, ASK_AGAIN_MS));

/**
 * Sends `payBooking` until the payment is decided.
 * @param {string} paymentMethod
 * @param {(redirectUrl: string) => Promise<boolean>} visit has the payer do what is asked of them on another page
 * @returns {Promise<object | null>} the final `Payment` or problem; null if the payer has not finished on that page
 */
async function pay(paymentMethod, visit) {
  const { booking } = trip();
  const input = { bookingId: booking.id, bookingToken: booking.accessToken, paymentMethod, returnUrl: RETURN_URL };
  for (let asked = 0; asked < ASK_AT_MOST; asked += 1) {
    const answer = await mutate(PayBooking, input);
    if (isProblem(answer)) return answer;
    // The deadline may have moved while the payment is under way; the token is told only once, and kept.
    update({ booking: { ...answer.booking, accessToken: booking.accessToken } });
    if (answer.status === "REQUIRES_ACTION" && answer.redirectUrl) {
      if (!(await visit(answer.redirectUrl))) return null;
      announce("Thank you. Finishing the payment.");
    } else if (["INITIATED", "PROCESSING", "AUTHORIZED", "REQUIRES_ACTION"].includes(answer.status)) {
      await pause();
    } else {
      return answer;
    }
  }
  return { __typename: "Unavailable", code: "UNAVAILABLE", message: "The payment is taking longer than usual." };
}

const NAMES = { paypal: "PayPal" };

/** What is paid on a page of the gateway's own, by a method that needs no token of its form. */
const hasPage = ({ redirects, paymentMethod }) => redirects && !paymentMethod.includes("*");

function methodFields({ sandbox, testMethods }, pages, chosen) {
  if (testMethods.length === 0) {
    const known = h("datalist", { id: "pages" }, pages.map(({ paymentMethod }) => h("option", { value: paymentMethod })));
    const control = h("input", {
      type: "text",
      name: "paymentMethod",
      required: true,
      placeholder: "pm_…",
      list: "pages",
      value: chosen,
    });
    const others = pages.map(({ paymentMethod }) => `, or ${paymentMethod}`).join("");
    return [field("Payment method token", control, { hint: `From the payment gateway's own form${others}.` }), known];
  }
  const methods = [
    ...testMethods,
    ...pages.map(({ kind, paymentMethod }) => ({
      paymentMethod,
      label: NAMES[kind] ?? sentence(kind),
      outcome: "takes you to its own page, and back here",
    })),
  ];
  const first = methods.some(({ paymentMethod }) => paymentMethod === chosen) ? chosen : methods[0].paymentMethod;
  return h(
    "fieldset",
    { class: "methods" },
    h("legend", null, sandbox ? "Test methods" : "Ways to pay", h("small", null, "No real money moves")),
    methods.map(({ paymentMethod, label, outcome }) =>
      h(
        "label",
        { class: "method" },
        h("input", {
          type: "radio",
          name: "paymentMethod",
          value: paymentMethod,
          required: true,
          checked: paymentMethod === first,
        }),
        h("span", { class: "method-card" }, h("b", null, label), h("small", null, outcome)),
      ),
    ),
  );
}

function problemActions({ __typename }) {
  if (__typename !== "HoldExpired") return [];
  const again = () => {
    update({ hold: undefined, booking: undefined });
    go("seats");
  };
  return [h("button", { type: "button", class: "primary", onclick: again }, "Choose seats again")];
}

/** The view at `#/payment`. */
export async function render(root) {
  const { booking, leftToPay } = trip();
  if (!booking) return go("");
  if (booking.status === "CONFIRMED") return go("confirmation");
  // Another booking's method, kept because its payer never came back, must not start a payment of this one.
  const leftWith = leftToPay?.bookingId === booking.id ? leftToPay.paymentMethod : undefined;
  const notice = h("div", { class: "notice" });
  root.append(
    h(
      "header",
      { class: "step-head" },
      h("h1", { tabindex: "-1" }, "Payment"),
      h("p", null, "Booking ", h("b", { class: "pnr" }, booking.pnr), " is made and waits for its money."),
    ),
  );
  const asked = await guarded(root.appendChild(notice), () =>
    Promise.all([query(PaymentSettings), query(PaymentMethods, { id: booking.id, token: booking.accessToken })]),
  );
  if (!asked || !root.isConnected) return undefined;
  const [{ paymentSettings }, { paymentMethods }] = asked;
  const pages = (paymentMethods ?? []).filter(hasPage);

  const submit = h("button", { class: "primary", type: "submit" }, `Pay ${money(booking.total)}`);
  async function finish(paymentMethod, visit) {
    const answer = await guarded(notice, () => whileBusy(submit, "Paying…", () => pay(paymentMethod, visit)));
    if (answer === undefined) return;
    if (answer === null) {
      showProblem(notice, {
        __typename: "Conflict",
        message: "The payment is not finished. Press Pay to go on with it.",
      });
    } else if (isProblem(answer)) {
      showProblem(notice, answer, ...problemActions(answer));
    } else if (answer.status === "CAPTURED") {
      go("confirmation");
    } else {
      showProblem(notice, {
        __typename: "PaymentDeclined",
        message: "The payment did not go through.",
        retryable: true,
      });
    }
  }
  function send(event) {
    event.preventDefault();
    clear(notice);
    const { paymentMethod } = Object.fromEntries(new FormData(form));
    const page = pages.some((one) => one.paymentMethod === paymentMethod);
    return finish(paymentMethod, page ? (url) => leaveFor(url, paymentMethod) : challenge);
  }
  const form = h(
    "form",
    { class: "payment-form", onsubmit: send },
    methodFields(paymentSettings, pages, leftWith),
    h("div", { class: "notice-place" }, notice),
    submit,
  );
  root.append(
    h(
      "div",
      { class: "payment" },
      form,
      h(
        "aside",
        { class: "summary", "aria-labelledby": "summary-heading" },
        h("h2", { id: "summary-heading" }, "What you pay"),
        priceLines(booking.lines, booking.total),
      ),
    ),
  );
  if (leftWith) {
    update({ leftToPay: undefined });
    await finish(leftWith, async () => false);
  }
  return undefined;
}

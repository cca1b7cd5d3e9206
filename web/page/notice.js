/** Problems on the page: a heading, what happened, what can be done next, and the buttons to do it. */

import { explain } from "../client/problems.js";
import { h } from "./dom.js";

/**
 * Shows `problem` in `place`, replacing what was there; role="alert" has it read at once.
 * @param {Element} place
 * @param {object | Error} problem
 * @param {...Element} actions buttons or links
 */
export function showProblem(place, problem, ...actions) {
  const { title, message, advice } = explain(problem);
  const box = h(
    "div",
    { class: "problem", role: "alert", "data-problem": problem.__typename ?? problem.code ?? problem.name },
    h("h2", { class: "problem-title" }, title),
    message && h("p", null, message),
    advice && h("p", null, advice),
    actions.length > 0 && h("div", { class: "actions" }, actions),
  );
  place.replaceChildren(box);
  box.scrollIntoView({ block: "nearest" });
}

export const clear = (place) => place.replaceChildren();

/**
 * Runs `work`; what it throws (a refusal, no network) is shown in `place`. Programming errors go through.
 * @returns {Promise<unknown>} what `work` gave, or undefined after a problem
 */
export async function guarded(place, work) {
  try {
    return await work();
  } catch (error) {
    showProblem(place, error);
    return undefined;
  }
}

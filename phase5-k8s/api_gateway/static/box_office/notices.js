// What is said to people beside what they did.

import { el } from "./dom.js";

// A problem in words, with the trace that leads to it, and a button where it makes sense to try again.
export const problemNote = (problem, again = null) => {
  const fields = problem.errors?.filter(({ field }) => field) ?? [];
  return el(
    "div",
    { class: "note wrong", role: "alert" },
    el("p", {}, problem.message || "Something went wrong in this page."),
    fields.length ? el("ul", {}, ...fields.map(({ field, message }) => el("li", {}, `${field}: ${message}`))) : null,
    problem.trace ? el("p", { class: "trace" }, "Trace ", el("code", {}, problem.trace)) : null,
    again ? el("button", { type: "button", class: "quiet", onclick: again }, "Try again") : null,
  );
};

export const goodNote = (words) => el("div", { class: "note good", role: "status" }, el("p", {}, words));

// Runs what was asked for with the button out of reach, and shows in `place` what went wrong.
export const during = async (button, place, work, again = null) => {
  const held = document.activeElement === button;
  button.disabled = true;
  place.replaceChildren();
  try {
    return await work();
  } catch (problem) {
    place.replaceChildren(problemNote(problem, problem.passes ? again : null));
    return undefined;
  } finally {
    button.disabled = false;
    if (held && document.activeElement === document.body) button.focus(); // a button that is out of reach loses it
  }
};

// What just happened: a booking's way through the system, a row a step, as its trace tells. What cannot be seen is said.

import { el } from "./dom.js";
import { asUser } from "./session.js";
import { milliseconds, number, tickets } from "./words.js";

const TRIES = 16;
const PAUSE = 700; // milliseconds
const STEPS = [
  ["gateway", "Gateway", (_, { answer }) => `took the order in, answered ${answer}`],
  ["booking", "Booking service", (_, { answer }) => `kept it as PENDING, then ${answer === "OK" ? "as CONFIRMED" : `answered ${answer}`}`],
  ["event", "Event service", ({ booking }, { answer }) => (answer === "OK" ? `set ${tickets(booking.ticket_count)} aside` : `set nothing aside: ${answer}`)],
  ["postgres", "PostgreSQL", (_, step) => `${step.spans} statements in two databases`],
  ["outbox", "Outbox", () => "the message, in the same transaction as the booking"],
  ["kafka", "Kafka", ({ message }) => (message.offset === null ? "the message was sent" : `partition ${message.partition}, offset ${message.offset}`)],
  ["counted", "Counted", () => "by the metrics consumer, once"],
];
const MISSING = {
  NO_TRACE_STORE: "This system keeps no traces, so what happened inside cannot be seen. The booking itself stands.",
  TRACE_STORE_AWAY: "Where traces are kept does not answer, so what happened inside cannot be seen. The booking itself stands.",
  NO_TRACE: "No trace of this booking was found: it may not have been kept, or is forgotten by now.",
};

// The strip, which asks until the booking is counted, or gives up and says so.
export const storyOf = (booking) => {
  const rows = el("ol", { class: "steps" });
  const summary = el("p", { class: "summary", role: "status" }, "Asking for the trace…");
  const all = el("div");
  const node = el("section", { class: "story", "aria-label": "What just happened" }, el("h2", {}, "What just happened"), summary, rows, all);

  const follow = async (left) => {
    const done = await look(left === 0);
    if (!done && left > 0) setTimeout(() => node.isConnected && follow(left - 1), PAUSE);
  };
  const look = async (last) => {
    try {
      const story = await asUser("GET", `/v1/bookings/${booking.id}/story`);
      const over = story.counted || story.missing === "NO_TRACE_STORE" || last;
      if (story.steps) show(story, over);
      else if (over) summary.textContent = MISSING[story.missing];
      return over;
    } catch (problem) {
      if (last || !problem.passes) summary.textContent = `What happened cannot be told: ${problem.message}`;
      return !problem.passes;
    }
  };
  const show = (story, over) => {
    rows.replaceChildren(...rowsOf(story, over));
    summary.textContent = inShort(story, over);
    const open = all.querySelector("details")?.open;
    all.replaceChildren(details(story, open));
  };

  rows.append(...STEPS.map(([, title]) => row({ title, state: "waiting" })));
  follow(TRIES);
  return node;
};

const seen = (story, name) => story.steps.find((step) => step.name === name);

const rowsOf = (story, over) => {
  const total = Math.max(...story.steps.map((step) => step.end_ms));
  return STEPS.map(([name, title, about]) => {
    const step = seen(story, name);
    if (!step) return row({ title, state: over ? "unseen-step" : "waiting" });
    return row({
      title, about: about(story, step), time: milliseconds(step.duration_ms), state: step.error ? "error" : "done",
      from: step.start_ms / total, share: (step.end_ms - step.start_ms) / total, name,
    });
  });
};

const WORDS = { done: "done", error: "an error", waiting: "waiting", "unseen-step": "not seen" };

const row = ({ title, about = "", time = "", state, from = 0, share = 0, name = "" }) => {
  const bar = el("span", { class: `span ${name}` });
  bar.style.setProperty("margin-inline-start", `${from * 100}%`);
  bar.style.setProperty("inline-size", `${share * 100}%`);
  return el(
    "li",
    { class: state },
    el("span", { class: "title" }, title, el("span", { class: "unseen" }, `: ${WORDS[state]}`)),
    el("span", { class: "track", "aria-hidden": "true" }, share ? bar : null),
    el("span", { class: "time" }, time || WORDS[state]),
    el("span", { class: "about" }, about),
  );
};

const inShort = (story, over) => {
  const [answered, counted] = [seen(story, "gateway") ?? seen(story, "booking"), seen(story, "counted")];
  const told = [];
  if (answered) told.push(`Answered after ${milliseconds(answered.end_ms)}.`);
  if (story.counted && counted) told.push(`Counted ${milliseconds(counted.end_ms)} after the order came in.`);
  else if (!over) told.push("Waiting for Kafka and the count…");
  const unseen = over ? STEPS.filter(([name]) => !seen(story, name)).map(([, title]) => title) : [];
  if (unseen.length) told.push(`Not seen: ${unseen.join(", ")}. That may still come: a message waits in the outbox until it is taken.`);
  return told.join(" ");
};

const details = (story, open = false) => {
  const total = Math.max(...story.spans.map((span) => span.start_ms + span.duration_ms));
  const rows = story.spans.map((span) => {
    const bar = el("span", { class: `span ${span.error ? "error" : ""}` });
    bar.style.setProperty("margin-inline-start", `${(span.start_ms / total) * 100}%`);
    bar.style.setProperty("inline-size", `${(span.duration_ms / total) * 100}%`);
    const title = el("td", {}, span.name.split(".").pop());
    title.style.setProperty("padding-inline-start", `${span.depth * 0.75}em`);
    return el("tr", {}, title, el("td", {}, span.service), el("td", { class: "track" }, bar), el("td", {}, `${milliseconds(span.duration_ms)}${span.error ? " ✗" : ""}`));
  });
  const head = ["Span", "Service", "When", "Took"].map((text) => el("th", { scope: "col" }, text));
  return el(
    "details",
    open ? { open: "" } : {},
    el("summary", {}, `All ${number(story.spans.length)} spans`),
    el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Spans" }, el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows))),
    el("p", { class: "trace" }, "Trace ", el("code", {}, story.trace_id)),
    story.trace_url ? el("p", {}, el("a", { href: story.trace_url, rel: "noreferrer", target: "_blank" }, "Open it in Jaeger")) : null,
  );
};

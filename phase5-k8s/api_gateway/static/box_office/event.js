// One event: the tickets left, live, and the ways to get some.

import { call } from "./api.js";
import { bookPanel } from "./book.js";
import { announce, el, meter } from "./dom.js";
import { watch } from "./live.js";
import { problemNote } from "./notices.js";
import { salePanel } from "./rush.js";
import { fullDate, kindOf, leftInWords, number } from "./words.js";

const STATES = { live: "Live", lost: "The connection is lost; trying again", asked: "Connecting" };

// Returns what ends the page.
export const showEvent = (view, eventId) => {
  const leaving = new AbortController();
  const { signal } = leaving;
  const load = async () => {
    view.replaceChildren(el("p", { class: "empty" }, "Loading…"));
    try {
      const event = await call("GET", `/v1/events/${eventId}`);
      if (!signal.aborted) filled(view, event, signal);
    } catch (problem) {
      if (!signal.aborted) view.replaceChildren(el("h1", {}, "An event"), problemNote(problem, load), back());
    }
  };
  load();
  return () => leaving.abort();
};

const back = () => el("p", {}, el("a", { class: "back", href: "#/" }, "All events"));

const filled = (view, event, signal) => {
  const numbers = new EventTarget();
  const story = el("div", { class: "below" });
  const counter = shownCounter(event, numbers);
  const panels = el("div", { class: "panels" }, bookPanel(event, story, signal), salePanel(event, numbers, signal));
  view.replaceChildren(
    back(),
    el(
      "div",
      { class: "event" },
      el(
        "section",
        {},
        el("p", { class: "kind" }, kindOf(event.kind)),
        el("h1", {}, event.name),
        el("p", { class: "facts" }, fullDate(event.starts_at, event.time_zone), el("br"), event.venue),
        counter.node,
      ),
      panels,
      story,
    ),
  );
  document.title = `${event.name} · Box office`;
  watch(event.id, counter, signal);
};

const shownCounter = (event, numbers) => {
  const count = el("b", { id: "left" });
  const of = el("span");
  const state = el("span", { class: "state asked" }, STATES.asked);
  const bar = meter("bar");
  const node = el("div", { class: "counter" }, el("p", { "aria-hidden": "true" }, count, of), bar.node, state);
  const show = ({ available, capacity }) => {
    count.textContent = number(available);
    of.textContent = ` of ${number(capacity)} tickets left`;
    bar.show(available / capacity);
    node.classList.toggle("none", available === 0);
  };
  show({ available: event.available_tickets, capacity: event.capacity });
  return {
    node,
    number: (latest) => {
      show(latest);
      announce(leftInWords(latest.available));
      numbers.dispatchEvent(new CustomEvent("number", { detail: latest.available }));
    },
    state: (name) => {
      state.className = `state ${name}`;
      state.textContent = STATES[name];
    },
  };
};

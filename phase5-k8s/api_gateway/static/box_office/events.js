// The list of what is on, and the search.

import { call, query } from "./api.js";
import { announce, choice, el, field, meter } from "./dom.js";
import { problemNote } from "./notices.js";
import { KINDS, dayAndMonth, fullDate, kindOf, number } from "./words.js";

const PAGE = 12;
const wanted = { kind: "", venue: "", from: "", to: "", available: false }; // kept while this page is open

// Midnight of a day as people have it here; `later` days after that.
const midnight = (day, later = 0) => {
  const moment = new Date(`${day}T00:00`);
  moment.setDate(moment.getDate() + later);
  return moment.toISOString();
};

const asked = (token) => query({
  kind: wanted.kind,
  venue: wanted.venue,
  from: wanted.from ? midnight(wanted.from) : new Date().toISOString(),
  to: wanted.to ? midnight(wanted.to, 1) : "",
  available: wanted.available,
  page_size: PAGE,
  page_token: token,
});

const card = (event) => {
  const [day, month] = dayAndMonth(event.starts_at, event.time_zone);
  const bar = meter("bar");
  bar.show(event.available_tickets / event.capacity);
  return el(
    "li",
    {},
    el(
      "a",
      { class: "ticket", href: `#/events/${event.id}` },
      el("span", { class: "day", "aria-hidden": "true" }, el("b", {}, day), month),
      el(
        "span",
        { class: "what" },
        el("strong", {}, event.name),
        el("span", {}, `${kindOf(event.kind)} · ${event.venue}`),
        el("span", {}, fullDate(event.starts_at, event.time_zone)),
      ),
      el(
        "span",
        { class: event.available_tickets ? "left" : "left none" },
        event.available_tickets ? el("b", {}, number(event.available_tickets)) : el("b", {}, "Sold out"),
        event.available_tickets ? " left" : null,
        bar.node,
      ),
    ),
  );
};

export const showEvents = (view) => {
  const list = el("ul", { class: "tickets" });
  const said = el("div");
  const more = el("button", { type: "button", class: "quiet", hidden: true }, "Show more");
  let token = "";
  let round = 0;

  const load = async (first) => {
    const mine = round += 1;
    list.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const page = await call("GET", `/v1/events${asked(first ? "" : token)}`);
      if (mine !== round) return; // another search has begun
      const cards = page.events.map(card);
      if (first) list.replaceChildren(...cards);
      else list.append(...cards);
      if (!first) cards[0]?.querySelector("a").focus();
      token = page.next_page_token;
      said.replaceChildren(list.children.length ? "" : el("p", { class: "empty" }, "Nothing is on that fits. Ask for less, or come back later."));
      announce(`${list.children.length} ${list.children.length === 1 ? "event" : "events"} shown`);
    } catch (problem) {
      if (mine === round) said.replaceChildren(problemNote(problem, () => load(first)));
    } finally {
      if (mine === round) {
        list.removeAttribute("aria-busy");
        more.disabled = false;
        more.hidden = !token;
      }
    }
  };

  more.addEventListener("click", () => load(false));
  view.append(el("h1", {}, "What is on"), search(() => load(true)), said, list, more);
  load(true);
};

const search = (go) => {
  const kind = choice([["", "Any"], ...KINDS], wanted.kind);
  const venue = el("input", { type: "search", value: wanted.venue, maxlength: 200, autocomplete: "off" });
  const from = el("input", { type: "date", value: wanted.from });
  const to = el("input", { type: "date", value: wanted.to });
  const available = el("input", { type: "checkbox", checked: wanted.available });
  const submit = (event) => {
    event.preventDefault();
    Object.assign(wanted, {
      kind: kind.value, venue: venue.value.trim(), from: from.value, to: to.value, available: available.checked,
    });
    go();
  };
  const form = el(
    "form",
    { class: "search", role: "search", "aria-label": "Events", onsubmit: submit },
    field("Kind", kind),
    field("Venue", venue),
    field("From", from),
    field("Until", to),
    el("label", { class: "tick" }, available, "Tickets left"),
    el("button", { class: "quiet" }, "Search"),
  );
  for (const each of [kind, available]) each.addEventListener("change", () => form.requestSubmit());
  return form;
};

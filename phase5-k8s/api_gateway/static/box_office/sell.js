// For organisers: an event goes on sale, so that a class can begin from an empty system.

import { askToSignIn } from "./account.js";
import { choice, el, field } from "./dom.js";
import { during } from "./notices.js";
import { asUser, sells, user } from "./session.js";
import { KINDS } from "./words.js";

const WEEK = 7 * 24 * 3600 * 1000; // milliseconds

// As an input for a date and a time has it, in the time of this machine.
const inputTime = (moment) => new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

export const showSell = (view) => {
  view.append(el("h1", {}, "Put an event on sale"));
  if (!sells()) {
    const words = user ? "Your account may not do this: it takes an organiser or an admin." : "Sign in as an organiser to put an event on sale.";
    view.append(el("p", { class: "empty" }, words));
    if (!user) view.append(el("button", { type: "button", onclick: askToSignIn }, "Sign in"));
    return;
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const name = el("input", { required: true, maxlength: 200, autocomplete: "off" });
  const kind = choice(KINDS, "concert");
  const venue = el("input", { required: true, maxlength: 200, autocomplete: "off" });
  const starts = el("input", { type: "datetime-local", required: true, value: inputTime(new Date(Date.now() + WEEK)) });
  const timeZone = el("input", { required: true, maxlength: 64, value: zone, autocomplete: "off" });
  const capacity = el("input", { type: "number", required: true, min: 1, max: 1_000_000, value: "40", inputmode: "numeric" });
  const button = el("button", {}, "Put on sale");
  const said = el("div");
  const submit = (event) => {
    event.preventDefault();
    return during(button, said, async () => {
      const made = await asUser("POST", "/v1/events", {
        body: {
          name: name.value.trim(), kind: kind.value, venue: venue.value.trim(), time_zone: timeZone.value.trim(),
          starts_at: new Date(starts.value).toISOString(), capacity: Number(capacity.value),
        },
      });
      location.hash = `#/events/${made.id}`;
    });
  };
  view.append(el(
    "form",
    { class: "panel sell", onsubmit: submit },
    field("Name", name),
    field("Kind", kind),
    field("Venue", venue),
    field("Begins", starts, `In your own time (${zone})`),
    field("Time zone of the venue", timeZone, "As in Europe/Istanbul; the date is shown in it"),
    field("Tickets", capacity),
    said,
    button,
  ));
};

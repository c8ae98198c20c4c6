// Booking tickets. An order keeps its key over every try, so that trying again can never book twice.

import { askToSignIn } from "./account.js";
import { newKey } from "./api.js";
import { choice, el, field } from "./dom.js";
import { during, goodNote } from "./notices.js";
import { asUser, changes, user } from "./session.js";
import { storyOf } from "./story.js";
import { STATUSES, tickets } from "./words.js";

const MOST = 10;

export const book = (eventId, ticketCount, key) => asUser("POST", "/v1/bookings", {
  body: { event_id: eventId, ticket_count: ticketCount },
  headers: { "Idempotency-Key": key },
});

// `place` gets the story of the newest booking; `signal` ends the panel.
export const bookPanel = (event, place, signal) => {
  const count = choice(Array.from({ length: MOST }, (_, index) => [String(index + 1), String(index + 1)]), "1");
  const said = el("div");
  const button = el("button", {}, "Book");
  let order = null;

  // A refusal is the answer to an order; only one without an answer is sent again as it was.
  const ordered = async () => {
    try {
      const made = await book(event.id, order.count, order.key);
      order = null;
      return made;
    } catch (problem) {
      if (!problem.passes) order = null;
      throw problem;
    }
  };
  const send = () => during(button, said, async () => {
    const made = await ordered();
    const became = made.status === "CONFIRMED" ? "Booked" : STATUSES[made.status];
    said.replaceChildren(goodNote(`${became}: ${tickets(made.ticket_count)} for ${event.name}.`));
    place.replaceChildren(storyOf(made));
  }, send);

  const submit = async (submitted) => {
    submitted.preventDefault();
    if (!user && !(await askToSignIn())) return;
    const wanted = Number(count.value);
    if (order?.count !== wanted) order = { count: wanted, key: newKey() };
    await send();
  };

  const named = () => { button.textContent = user ? "Book" : "Sign in and book"; };
  named();
  changes.addEventListener("change", named, { signal });
  return el(
    "section",
    { class: "panel", "aria-label": "Book" },
    el("h2", {}, "Book"),
    el("form", { class: "row", onsubmit: submit }, field("Tickets", count), button),
    said,
  );
};

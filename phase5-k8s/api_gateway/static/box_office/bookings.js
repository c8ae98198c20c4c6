// One's own bookings: seen, cancelled, and followed through the system.

import { askToSignIn } from "./account.js";
import { call, query } from "./api.js";
import { el } from "./dom.js";
import { during, problemNote } from "./notices.js";
import { asUser, user } from "./session.js";
import { storyOf } from "./story.js";
import { STATUSES, dayAndMonth, fullDate, ownTime, tickets } from "./words.js";

const PAGE = 20;

export const showBookings = (view) => {
  view.append(el("h1", {}, "My bookings"));
  if (!user) {
    const ask = el("button", { type: "button", onclick: askToSignIn }, "Sign in");
    view.append(el("p", { class: "empty" }, "Sign in to see what you have booked."), ask);
    return;
  }
  const list = el("ul", { class: "tickets one" });
  const said = el("div");
  const more = el("button", { type: "button", class: "quiet", hidden: true }, "Show more");
  const events = new Map(); // each is asked for once
  let token = "";
  const load = () => during(more, said, async () => {
    const page = await asUser("GET", `/v1/bookings${query({ page_size: PAGE, page_token: token })}`);
    list.append(...(await Promise.all(page.bookings.map((booking) => card(booking, events)))));
    token = page.next_page_token;
    more.hidden = !token;
    if (!list.children.length) said.append(el("p", { class: "empty" }, "Nothing yet. ", el("a", { href: "#/" }, "See what is on")));
  }, load);
  more.addEventListener("click", load);
  view.append(list, said, more);
  load();
};

const eventOf = (id, events) => {
  if (!events.has(id)) events.set(id, call("GET", `/v1/events/${id}`).catch(() => null));
  return events.get(id);
};

const card = async (booking, events) => {
  const event = await eventOf(booking.event_id, events);
  const [day, month] = event ? dayAndMonth(event.starts_at, event.time_zone) : ["–", ""];
  const below = el("div");
  const state = el("p", { class: "status" });
  const actions = el("div", { class: "row" });
  const show = (latest) => {
    state.className = `status ${latest.status.toLowerCase()}`;
    state.textContent = STATUSES[latest.status] ?? latest.status;
    if (latest.reason) state.append(`: ${latest.reason.toLowerCase().replaceAll("_", " ")}`);
    actions.replaceChildren(
      el("button", { type: "button", class: "quiet", onclick: () => toggled(below, latest) }, "What happened"),
      ...(latest.status === "CANCELLED" ? [] : [cancelButton(latest, below, show)]),
    );
  };
  show(booking);
  return el(
    "li",
    { class: "ticket mine" },
    el("span", { class: "day", "aria-hidden": "true" }, el("b", {}, day), month),
    el(
      "div",
      { class: "what" },
      event ? el("a", { href: `#/events/${event.id}` }, event.name) : el("strong", {}, "An event that is not there any more"),
      el("span", {}, event ? fullDate(event.starts_at, event.time_zone) : ""),
      el("span", {}, `${tickets(booking.ticket_count)}, booked ${ownTime(booking.created_at)}`),
      state,
    ),
    actions,
    below,
  );
};

const toggled = (place, booking) => {
  if (place.querySelector(".story")) place.replaceChildren();
  else place.replaceChildren(storyOf(booking));
};

// Asked twice, in place: a slip of the finger gives no tickets away.
const cancelButton = (booking, place, show) => {
  const button = el("button", { type: "button", class: "quiet" }, "Cancel");
  const cancel = async () => {
    button.disabled = true;
    try {
      show(await asUser("POST", `/v1/bookings/${booking.id}/cancellation`));
      place.replaceChildren();
    } catch (problem) {
      button.disabled = false;
      place.replaceChildren(problemNote(problem, problem.passes ? cancel : null));
    }
  };
  button.addEventListener("click", () => {
    if (button.classList.contains("sure")) cancel();
    else {
      button.classList.add("sure");
      button.textContent = `Yes, give ${tickets(booking.ticket_count)} back`;
    }
  });
  button.addEventListener("blur", () => {
    if (button.disabled) return;
    button.classList.remove("sure");
    button.textContent = "Cancel";
  });
  return button;
};

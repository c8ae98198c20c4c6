// The box office: which page is shown, and who is signed in.

import { showAccount } from "./account.js";
import { showBookings } from "./bookings.js";
import { el } from "./dom.js";
import { showEvent } from "./event.js";
import { showEvents } from "./events.js";
import { problemNote } from "./notices.js";
import { showSell } from "./sell.js";
import { changes, resume, sells } from "./session.js";

const ID = "[0-9a-fA-F-]{36}";
const PAGES = [
  [/^(#\/)?$/, "Box office", showEvents],
  [new RegExp(`^#/events/(${ID})$`), "An event · Box office", showEvent],
  [/^#\/bookings$/, "My bookings · Box office", showBookings],
  [/^#\/sell$/, "Put on sale · Box office", showSell],
];

const view = document.getElementById("view");
let leave = () => {};
let shown = null;

const nothing = (place) => place.append(el("h1", {}, "Nothing here"), el("p", {}, el("a", { href: "#/" }, "All events")));

const show = (moved) => {
  const [pattern, title, fill] = PAGES.find(([known]) => known.test(location.hash)) ?? [/^/, "Box office", nothing];
  leave();
  view.replaceChildren();
  document.title = title;
  shown = fill;
  leave = fill(view, pattern.exec(location.hash)[1]) ?? (() => {});
  view.removeAttribute("aria-busy");
  for (const link of document.querySelectorAll("#places a")) {
    if (link.getAttribute("href") === (location.hash || "#/")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!moved) return;
  scrollTo(0, 0);
  view.focus({ preventScroll: true });
};

addEventListener("hashchange", () => show(true));
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // what stands behind # says which page this is
  view.focus();
});
changes.addEventListener("change", () => {
  document.querySelector('#places a[href="#/sell"]').hidden = !sells();
  if (shown === showBookings || shown === showSell) show(false); // what they show depends on who is signed in
});

showAccount(document.getElementById("account"), (problem) => view.prepend(problemNote(problem)));
try {
  await resume();
} catch (problem) {
  if (problem.status !== 401) view.prepend(problemNote(problem)); // else the session is over, and that is no news
}
show(false);

// The flash sale's panel: a crowd that buys as whoever is signed in.

import { askToSignIn } from "./account.js";
import { newKey } from "./api.js";
import { book } from "./book.js";
import { AT_ONCE, MOST, sale } from "./crowd.js";
import { announce, el, field } from "./dom.js";
import { user } from "./session.js";
import { number } from "./words.js";

const ROWS = [["sold", "Sold"], ["soldOut", "Refused: sold out"], ["errors", "Errors"]];

export const salePanel = (event, numbers, signal) => {
  const orders = el("input", { type: "number", min: 1, max: MOST, value: String(MOST), required: true, inputmode: "numeric" });
  const button = el("button", { class: "loud" }, "Start the sale");
  const stop = el("button", { type: "button", class: "quiet", hidden: true }, "Stop");
  const board = tallyBoard();
  let ending = new AbortController();
  signal.addEventListener("abort", () => ending.abort());

  const run = async () => {
    ending = new AbortController();
    button.hidden = true;
    stop.hidden = false;
    const low = lowest(numbers, board);
    const tally = await sale(Number(orders.value), () => book(event.id, 1, newKey()), board.show, ending.signal);
    low.end();
    button.hidden = false;
    stop.hidden = true;
    button.focus();
    announce(`The sale is over: ${tally.sold} sold, ${tally.soldOut} refused as sold out, ${tally.errors} errors`);
  };
  const submit = async (submitted) => {
    submitted.preventDefault();
    if (!user && !(await askToSignIn())) return;
    board.show({ orders: Number(orders.value), sold: 0, soldOut: 0, errors: 0, reasons: new Set() });
    await run();
  };
  stop.addEventListener("click", () => ending.abort());
  return el(
    "section",
    { class: "panel", "aria-label": "Flash sale" },
    el("h2", {}, "Flash sale"),
    el("p", { class: "hint" }, `A crowd that orders one ticket each, ${AT_ONCE} at once, in your name. Watch the counter.`),
    el("form", { class: "row", onsubmit: submit }, field("Orders", orders), button, stop),
    board.node,
  );
};

const tallyBoard = () => {
  const values = Object.fromEntries([...ROWS, ["lowest"]].map(([name]) => [name, el("dd", { id: `tally-${name}` }, "0")]));
  const progress = el("progress", { max: 1, value: 0, "aria-label": "Orders answered" });
  const rows = ROWS.map(([name, title]) => el("div", {}, el("dt", {}, title), values[name]));
  const reasons = el("ul", { class: "reasons" });
  const node = el("div", { hidden: true }, progress, el("dl", { class: "tally" }, ...rows, el("div", {}, el("dt", {}, "Fewest left seen"), values.lowest)), reasons);
  return {
    node,
    show: (tally) => {
      node.hidden = false;
      progress.max = tally.orders;
      progress.value = tally.sold + tally.soldOut + tally.errors;
      for (const [name] of ROWS) values[name].textContent = number(tally[name]);
      reasons.replaceChildren(...[...tally.reasons].map((reason) => el("li", {}, reason)));
    },
    lowest: (value) => { values.lowest.textContent = value === null ? "–" : number(value); },
  };
};

// The smallest number that was told from now on: what shows that it never went below zero.
const lowest = (numbers, board) => {
  let least = null;
  board.lowest(least);
  const note = ({ detail }) => {
    least = least === null ? detail : Math.min(least, detail);
    board.lowest(least);
  };
  numbers.addEventListener("number", note);
  return { end: () => setTimeout(() => numbers.removeEventListener("number", note), 3000) }; // the last number comes a moment later
};

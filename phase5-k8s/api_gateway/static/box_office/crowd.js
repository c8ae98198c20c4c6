// A flash sale: many orders of one ticket, some at a time. It ends by itself.

export const MOST = 60; // orders
export const AT_ONCE = 8;

// `buy` makes one order and throws a Problem; `tell` gets the tally after each. Returns the tally.
export const sale = async (orders, buy, tell, signal) => {
  const tally = { orders, sold: 0, soldOut: 0, errors: 0, reasons: new Set() };
  let left = orders;
  const buyer = async () => {
    while (left > 0 && !signal.aborted) {
      left -= 1;
      try {
        await buy();
        tally.sold += 1;
      } catch (problem) {
        if (problem.reason === "SOLD_OUT") tally.soldOut += 1;
        else {
          tally.errors += 1;
          tally.reasons.add(problem.message);
        }
      }
      tell(tally);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, orders) }, buyer));
  return tally;
};

// How things are said: numbers, dates, and what went wrong.

const count = new Intl.NumberFormat("en");
export const number = (value) => count.format(value);
export const tickets = (value) => `${number(value)} ${value === 1 ? "ticket" : "tickets"}`;
export const leftInWords = (left) => (left ? `${tickets(left)} left` : "Sold out");

export const KINDS = [["concert", "Concert"], ["match", "Match"], ["theatre", "Theatre"], ["other", "Other"]];
export const kindOf = (kind) => Object.fromEntries(KINDS)[kind] ?? kind;

export const STATUSES = { CONFIRMED: "Confirmed", CANCELLED: "Cancelled", PENDING: "On its way" };

const formatter = (options, zone) => {
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone || "UTC" });
  } catch {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }); // a zone that this browser does not know
  }
};
const DAY = { day: "numeric", month: "short" };
const FULL = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };

export const dayAndMonth = (moment, zone) => {
  const parts = formatter(DAY, zone).formatToParts(new Date(moment));
  const part = (type) => parts.find((each) => each.type === type).value;
  return [part("day"), part("month")];
};
export const fullDate = (moment, zone) => formatter({ ...FULL, timeZoneName: "short" }, zone).format(new Date(moment));
export const ownTime = (moment) => new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));

// Milliseconds, as exact as they are of use.
export const milliseconds = (value) => {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return `${value >= 100 ? number(Math.round(value)) : value.toFixed(1)} ms`;
};

const REASONS = {
  SOLD_OUT: "Not that many tickets are left.",
  WRONG_CREDENTIALS: "E-mail and password do not match.",
  TOO_MANY_REQUESTS: "That was a lot at once. Wait a moment, then try again.",
  EVENT_NOT_FOUND: "This event is not there any more.",
  BOOKING_NOT_FOUND: "This booking is not there.",
  UNREACHABLE: "The box office cannot be reached. Check the connection and try again.",
};
const BY_STATUS = {
  401: "You are signed out. Sign in again to go on.",
  403: "Your account may not do this.",
  500: "Something went wrong on our side.",
  503: "Part of the box office is away for a moment. Nothing is lost: try again.",
  504: "This took too long, and may have happened. Trying again is safe: it is still the same order.",
};

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "");

export const inWords = ({ reason, status, detail }) =>
  REASONS[reason] ?? BY_STATUS[status] ?? (sentence(detail) || "This did not work.");

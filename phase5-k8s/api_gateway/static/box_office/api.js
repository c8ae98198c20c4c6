// Calls of the API. What goes wrong is a Problem, whose message is made for people.

import { inWords } from "./words.js";

const PATIENCE = 20_000; // milliseconds
const AGAIN = new Set([0, 429, 502, 503, 504]);

export class Problem extends Error {
  constructor({ status = 0, reason = "UNREACHABLE", detail = "", trace_id: trace = "", errors = [] } = {}) {
    super(inWords({ status, reason, detail }));
    Object.assign(this, { status, reason, trace, errors });
  }

  // Whether the same request may well succeed in a moment.
  get passes() {
    return AGAIN.has(this.status);
  }
}

export const call = async (method, path, { body, headers = {} } = {}) => {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  const request = { method, headers: { ...json, ...headers }, signal: AbortSignal.timeout(PATIENCE) };
  if (body !== undefined) request.body = JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(path, request);
  } catch {
    throw new Problem();
  }
  if (!answer.ok) throw new Problem(await problemOf(answer));
  return answer.status === 204 ? null : answer.json();
};

const problemOf = async (answer) => {
  const trace = answer.headers.get("traceparent")?.split("-")[1] ?? "";
  try {
    return { trace_id: trace, ...(await answer.json()), status: answer.status };
  } catch {
    return { trace_id: trace, reason: "", status: answer.status }; // a proxy's own page, perhaps
  }
};

export const query = (fields) => {
  const given = Object.entries(fields).filter(([, value]) => value !== "" && value !== undefined && value !== false);
  return given.length ? `?${new URLSearchParams(given)}` : "";
};

// Another one each time; crypto.randomUUID would need HTTPS, and a class may meet at an address without.
export const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

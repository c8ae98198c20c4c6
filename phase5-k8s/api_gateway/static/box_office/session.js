// Who is signed in.
//
// The access token is good for some minutes and lives in memory alone. The refresh token is kept in sessionStorage, so
// that a reload does not sign anybody out: unlike localStorage it ends with the tab, unlike a cookie it goes nowhere by
// itself, so no other site can use it. A script that got in here could read it; that none does is what the content
// policy, and text that never becomes markup, are for. Used twice it ends the session, so a stolen one does not last.

import { Problem, call } from "./api.js";

const KEPT = "refresh-token";
const EARLY = 30_000; // milliseconds before its end that an access token is no longer used

let access = "";
let until = 0;
let renewing = null;
let refreshToken = "";
let generation = 0; // another one whenever somebody signs in or out: what was asked for in an older one is too late
export let user = null;
export const changes = new EventTarget();

const signedOut = () => new Problem({ status: 401, reason: "SIGNED_OUT" });

const keep = (token) => {
  refreshToken = token;
  try {
    if (token) sessionStorage.setItem(KEPT, token);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing: then a reload signs out.
  }
};

const kept = () => {
  try {
    return refreshToken || sessionStorage.getItem(KEPT) || "";
  } catch {
    return refreshToken;
  }
};

const begin = (session) => {
  access = session.access_token;
  until = Date.now() + session.expires_in * 1000 - EARLY;
  keep(session.refresh_token);
  const before = user?.id;
  user = session.user;
  if (before !== user.id) changes.dispatchEvent(new Event("change"));
};

const end = () => {
  generation += 1;
  [access, until, user] = ["", 0, null];
  keep("");
  changes.dispatchEvent(new Event("change"));
};

export const sells = () => Boolean(user?.roles.some((role) => role === "organiser" || role === "admin"));

export const signIn = async (email, password) => {
  const session = await call("POST", "/v1/sessions", { body: { email, password } });
  generation += 1;
  begin(session);
};

// The answer does not tell whether the e-mail was known; signing in does, to whoever has its password.
export const register = async (email, password, name) => {
  await call("POST", "/v1/users", { body: { email, password, name } });
  try {
    await signIn(email, password);
  } catch (problem) {
    if (problem.status === 401) problem.message = "There may be an account with this e-mail already: sign in with its password.";
    throw problem;
  }
};

const giveBack = (token) => call("DELETE", "/v1/sessions", { body: { refresh_token: token } });

export const signOut = async () => {
  const token = kept();
  end();
  if (token) await giveBack(token);
};

// A token is renewed once, however many wait for it: used twice, it would end the session.
const renew = () => {
  renewing ??= renewed().finally(() => { renewing = null; });
  return renewing;
};

const renewed = async () => {
  const asked = generation;
  try {
    const session = await call("POST", "/v1/sessions/refresh", { body: { refresh_token: kept() } });
    if (asked !== generation) {
      await giveBack(session.refresh_token); // signing out may not have reached the server
      throw signedOut();
    }
    begin(session);
  } catch (problem) {
    if (problem.status === 401 && asked === generation) end();
    throw problem;
  }
};

// Goes on with the session that this tab had before it was loaded again; without one nobody is signed in.
export const resume = async () => {
  if (kept()) await renew();
};

export const asUser = async (method, path, options = {}) => {
  if (!kept()) throw signedOut();
  if (Date.now() > until) await renew();
  const headers = () => ({ ...options.headers, Authorization: `Bearer ${access}` });
  try {
    return await call(method, path, { ...options, headers: headers() });
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    await renew(); // our clock and the server's may not agree
    return call(method, path, { ...options, headers: headers() });
  }
};

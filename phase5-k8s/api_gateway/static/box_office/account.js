// Signing in, registering, signing out.

import { el, field } from "./dom.js";
import { during } from "./notices.js";
import { changes, register, signIn, signOut, user } from "./session.js";

const MODES = {
  known: { title: "Sign in", other: "I have no account yet" },
  fresh: { title: "Register", other: "I have an account" },
};

// Opens the dialog; true once somebody is signed in, false when it was closed instead.
export const askToSignIn = () => new Promise((answer) => {
  const email = el("input", { type: "email", required: true, maxlength: 254, autocomplete: "username" });
  const password = el("input", { type: "password", required: true, maxlength: 128 });
  const name = el("input", { required: true, maxlength: 100, autocomplete: "name" });
  const nameField = field("Your name", name);
  const passwordField = field("Password", password, "8 characters or more");
  const title = el("h2", { id: "account-title" });
  const button = el("button");
  const other = el("button", { type: "button", class: "link" });
  const said = el("div");
  let mode = "known";

  const show = () => {
    title.textContent = button.textContent = MODES[mode].title;
    other.textContent = MODES[mode].other;
    const known = mode === "known";
    nameField.hidden = name.disabled = passwordField.querySelector("small").hidden = known;
    password.minLength = known ? 1 : 8;
    password.autocomplete = known ? "current-password" : "new-password";
    said.replaceChildren();
  };
  const submit = async (event) => {
    event.preventDefault();
    await during(button, said, async () => {
      if (mode === "known") await signIn(email.value.trim(), password.value);
      else await register(email.value.trim(), password.value, name.value.trim());
      dialog.close("in");
    });
  };
  other.addEventListener("click", () => {
    mode = mode === "known" ? "fresh" : "known";
    show();
    (mode === "known" ? email : name).focus();
  });
  const form = el(
    "form",
    { onsubmit: submit },
    title,
    nameField,
    field("E-mail", email),
    passwordField,
    said,
    el("div", { class: "row" }, button, el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")),
    other,
  );
  const dialog = el("dialog", { "aria-labelledby": title.id }, form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    answer(dialog.returnValue === "in");
  });
  show();
  document.body.append(dialog);
  dialog.showModal();
  email.focus();
});

// The corner of the page that says who is signed in.
export const showAccount = (place, say) => {
  const leave = async () => {
    location.hash = "#/";
    try {
      await signOut();
    } catch (problem) {
      say(problem); // signed out here all the same
    }
  };
  const show = () => place.replaceChildren(
    ...(user
      ? [el("span", { class: "who" }, user.name), el("button", { type: "button", class: "quiet", onclick: leave }, "Sign out")]
      : [el("button", { type: "button", class: "quiet", onclick: askToSignIn }, "Sign in")]),
  );
  changes.addEventListener("change", show);
  show();
};

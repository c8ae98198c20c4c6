// Elements. What comes from elsewhere becomes text or an attribute here, never markup: an event may be called <script>.

const PROPERTIES = new Set(["checked", "disabled", "hidden", "required", "selected", "value"]);

export const el = (name, options = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (PROPERTIES.has(key)) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

let fields = 0;

// A label with its input, and a hint that is read out with it.
export const field = (label, input, hint = "") => {
  input.id ||= `field-${fields += 1}`;
  const about = hint ? el("small", { id: `${input.id}-hint` }, hint) : null;
  if (about) input.setAttribute("aria-describedby", about.id);
  return el("div", { class: "field" }, el("label", { for: input.id }, label), input, about);
};

export const choice = (options, chosen = "") => {
  const made = el("select");
  for (const [value, text] of options) made.append(el("option", { value, selected: value === chosen }, text));
  return made;
};

// A number as a share of another. Style rules of a script's own are no inline styles: the content policy lets them be.
export const meter = (className) => {
  const bar = el("span");
  const made = el("span", { class: className, "aria-hidden": "true" }, bar);
  return { node: made, show: (share) => bar.style.setProperty("inline-size", `${Math.min(1, Math.max(0, share)) * 100}%`) };
};

// Read out by screen readers, at most so often that it can be followed; the newest words win.
const PAUSE = 1500; // milliseconds
let said = 0;
let waiting;
export const announce = (words) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    said = Date.now();
    document.getElementById("announcer").textContent = words;
  }, Math.max(0, said + PAUSE - Date.now()));
};

// Elements, words, numbers and dates. Every text that becomes part of the page goes through `visible`, and nothing is
// ever parsed as HTML: names, tags, policies and messages are written by others.

const DAY = 86_400_000;
const SVG = "http://www.w3.org/2000/svg";

// Characters that move, hide or reorder text: the same ones as in src/render/escape/terminal.rs.
const HIDDEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200f" +
    "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffe\\uffff" +
    "\\u{e0000}-\\u{e0fff}]",
  "gu",
);

/** The text with every character visible. */
function visible(text) {
  return String(text).replace(HIDDEN, (c) => {
    const known = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[c];
    return known ?? `\\u{${c.codePointAt(0).toString(16)}}`;
  });
}

function isVisible(text) {
  return text.search(HIDDEN) < 0;
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value === true ? "" : visible(value));
    }
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== false && child !== "") {
      element.append(child instanceof Node ? child : visible(child));
    }
  }
}

/** An HTML element. Attributes that begin with `on` are listeners; children are elements or text. */
function el(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** An SVG element, likewise. */
function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

/** Puts these children in the place of those that an element has. */
function refill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

function button(label, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, label);
}

/** Text in which commands stand between backticks. */
function withCommands(text) {
  return text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));
}

const integers = new Intl.NumberFormat("en-US");
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

function count(number, one, many = `${one}s`) {
  return `${integers.format(number)} ${number === 1 ? one : many}`;
}

/** US cents as dollars. */
function money(cents) {
  return dollars.format(cents / 100);
}

/** A length of time in days, as short as it can be said. */
function span(days) {
  const whole = Math.floor(Math.abs(days));
  if (whole < 90) {
    return `${whole} d`;
  }
  return whole < 730 ? `${Math.floor(whole / 30.44)} mo` : `${(whole / 365.25).toFixed(1)} y`;
}

/** How far a moment is from the time of the inventory; `days` is how long it is past. */
function distance(days) {
  if (Math.abs(days) < 1) {
    return "today";
  }
  return days > 0 ? `${span(days)} ago` : `in ${span(days)}`;
}

/** The day of a moment in UTC, as 2026-11-26. */
function isoDay(milliseconds) {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/** RFC 3339 as people read it; days have no time. Text that is no date stays as it is. */
function moment(text) {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) {
    return text;
  }
  const iso = new Date(milliseconds).toISOString();
  return iso.endsWith("T00:00:00.000Z") ? iso.slice(0, 10) : `${iso.slice(0, 16).replace("T", " ")} UTC`;
}

// The width of the screen without its scroll bar. It is asked for once for each size: the answer is dear.
const view = { width: 0 };

function measureView() {
  view.width = document.documentElement.clientWidth;
}

let toastTimer;

/** Says for some seconds what was done. */
function toast(text, more) {
  const place = document.getElementById("toast");
  refill(place, el("span", {}, text), more);
  place.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (place.hidden = true), more ? 9000 : 4000);
}

/** Puts text on the clipboard. Where browsers forbid it (neither a file nor HTTPS nor localhost), the older way is
 * tried. */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "off-screen" });
    area.value = text;
    // Within an open dialog, since nothing outside of it can have the focus.
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    const before = document.activeElement;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    before?.focus?.();
    return done;
  }
}

function copyButton(text, what) {
  const copied = async () => {
    toast((await toClipboard(text)) ? `Copied ${what}` : "The browser does not let this page copy");
  };
  return button("Copy", copied, { class: "small", "aria-label": `Copy ${what}` });
}

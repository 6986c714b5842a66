// What a page does in the browser beside htmx: times, refresh that can be paused, dialogs, keys, copying.
"use strict";

const root = document.documentElement;
const choices = { theme: ["auto", "light", "dark"], times: ["utc", "local", "relative"] };
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });

function remember(name, value) {
  document.cookie = `${name}=${value}; path=${root.dataset.prefix}; max-age=31536000; samesite=lax`;
}

// Times: the server writes UTC into each <time datetime>; it is shown as the reader chose.
function shown(instant) {
  if (root.dataset.times === "local") return instant.toLocaleString("sv-SE");
  if (root.dataset.times === "utc") return instant.toISOString().slice(0, 19).replace("T", " ");
  const seconds = Math.round((instant - Date.now()) / 1000);
  const [unit, length] = units.find(([, one]) => Math.abs(seconds) >= one) || units[3];
  return relative.format(Math.trunc(seconds / length), unit);
}
function writeTimes(within) {
  for (const one of within.querySelectorAll("time[datetime]")) {
    const instant = new Date(one.dateTime);
    if (Number.isNaN(instant.valueOf())) continue;
    const text = shown(instant);
    if (one.textContent !== text) one.textContent = text;
    one.title = instant.toISOString();
  }
}

// Choices: a cookie each, so that the next page comes as it was chosen.
function next(name, button) {
  const value = choices[name][(choices[name].indexOf(root.dataset[name]) + 1) % choices[name].length];
  root.dataset[name] = value;
  button.textContent = value;
  remember(name, value);
  writeTimes(document);
}
const pause = document.querySelector("[data-switch=paused]");
function paused() {
  return pause !== null && pause.getAttribute("aria-pressed") === "true";
}
function togglePause() {
  pause.setAttribute("aria-pressed", String(!paused()));
  remember("paused", paused() ? "1" : "0");
}

// Refresh: not while it is paused, nobody looks, or somebody types, marks text, clicks or decides something. A link that
// is drawn anew between the press and the release of a button is not followed.
let pressed = false;
for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
  document.addEventListener(name, (event) => { pressed = (event.buttons & 1) === 1; }, true);
}
function busy() {
  const main = document.getElementById("main");
  const typing = main.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  const marked = String(document.getSelection()) !== "";
  return document.hidden || pressed || typing || marked || document.querySelector("dialog[open]") !== null;
}
function isRefresh(event) {
  return event.detail.elt.id === "main" && event.detail.requestConfig?.triggeringEvent?.type !== "acted";
}
document.addEventListener("htmx:beforeRequest", (event) => {
  if (isRefresh(event) && (paused() || busy())) event.preventDefault();
});

// What is open, scrolled to and focused stays so; what did not change is not drawn again.
let before = null;
let last = null;
function placeOf(element) {
  if (!element || element === document.body || element.id === "main") return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const href = element.getAttribute("href");
  return href ? `[href="${CSS.escape(href)}"]` : null;
}
document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  if (target.id !== "main") return;
  if (pressed && isRefresh(event)) {
    event.detail.shouldSwap = false;
    return;
  }
  if (event.detail.serverResponse === last) {
    event.detail.shouldSwap = false;
    writeTimes(document);
    return;
  }
  last = event.detail.serverResponse;
  before = {
    open: [...target.querySelectorAll("details[id]")].map((one) => [one.id, one.open]),
    scrolled: [...target.querySelectorAll(".wide, pre")].map((one) => [one.scrollLeft, one.scrollTop]),
    focused: target.contains(document.activeElement) ? placeOf(document.activeElement) : null,
  };
});
document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  writeTimes(target);
  if (target.id === "dialog-body") {
    const dialog = document.getElementById("dialog");
    if (!dialog.open) dialog.showModal();
    (target.querySelector("input:not([type=hidden]), select, textarea") || target.querySelector(".button"))?.focus();
  }
  if (target.id !== "main" || before === null) return;
  for (const [id, open] of before.open) {
    const found = document.getElementById(id);
    if (found) found.open = open;
  }
  [...target.querySelectorAll(".wide, pre")].forEach((one, index) => {
    [one.scrollLeft, one.scrollTop] = before.scrolled[index] || [0, 0];
  });
  if (before.focused) target.querySelector(before.focused)?.focus({ preventScroll: true });
  before = null;
});
const stale = document.getElementById("stale");
document.addEventListener("htmx:sendError", () => { stale.hidden = false; });
document.addEventListener("htmx:afterOnLoad", () => { stale.hidden = true; });

// Clicks
async function copy(button) {
  const text = button.parentElement.querySelector("[data-copied]").textContent;
  await navigator.clipboard.writeText(text);
  button.textContent = "copied";
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}
document.addEventListener("click", (event) => {
  const on = (selector) => event.target.closest(selector);
  const button = on("[data-switch]");
  if (button) return button.dataset.switch === "paused" ? togglePause() : next(button.dataset.switch, button);
  if (on("[data-copy]")) return copy(on("[data-copy]"));
  if (on("[data-help]")) return document.getElementById("help").showModal();
  const dialog = on("dialog");
  if (on("[data-close]") && dialog) {
    event.preventDefault();
    dialog.close();
  }
});

// Keys, where nobody types
let leader = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  const key = event.key;
  const afterG = Date.now() - leader < 1500;
  leader = 0;
  if (afterG) document.querySelector(`[data-go="${CSS.escape(key)}"]`)?.click();
  else if (key === "g") leader = Date.now();
  else if (key === "/") {
    event.preventDefault();
    document.getElementById("find")?.focus();
  } else if (key === "?") document.getElementById("help").showModal();
  else if (key === "p" && pause) togglePause();
  else if (key === "t") document.querySelector("[data-switch=times]").click();
});

writeTimes(document);
setInterval(() => { if (root.dataset.times === "relative") writeTimes(document); }, 1000);

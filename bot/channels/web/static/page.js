// The web chat's page: sends in order and never twice, shows each message once, says when the network is gone.
// The shape of a message is page.html's macro; what arrives later is cloned from the <template>s it renders.

const FIRST_SOUND = 6000; // ms; a stream still mute by then is held back by a proxy
const SILENCE = 40000; // the server's heartbeats come every 15 s
const POLL = 25; // s
const POST_LIMIT = 20000;
const DEAF = 2500; // an answer committed this long ago should have come through the stream
const PAUSES = [1000, 2000, 4000, 8000]; // between tries of one message; then the person is asked
const LONGEST_WAIT = 30; // s; a longer `retry_after` is the person's to wait for

const $ = (id) => document.getElementById(id);
const page = document.body;
const [scroll, log, typing, newer, lost, box] = ["scroll", "log", "typing", "newer", "lost", "box"].map($);
const words = JSON.parse(page.dataset.words);
const door = $("compose").getAttribute("action");
const title = document.title;
const language = document.documentElement.lang; // of the sentences that refuse something
const tabs = window.BroadcastChannel ? new BroadcastChannel("doluong") : null;

let cursor = Number(page.dataset.cursor) || 0;
let gone = false; // the cookie is no longer known: nothing is sent or fetched any more

// What must outlive a reload; a browser that refuses storage only loses that.
const store = {
  read(key) {
    try { return JSON.parse(sessionStorage.getItem(`doluong.${key}`)); } catch { return null; }
  },
  write(key, value) {
    try { sessionStorage.setItem(`doluong.${key}`, JSON.stringify(value)); } catch { /* see above */ }
  },
};

const sleepers = new Set();
const sleep = (ms) => new Promise((resolve) => {
  const wakeUp = () => { clearTimeout(timer); sleepers.delete(wakeUp); resolve(); };
  const timer = setTimeout(wakeUp, ms);
  sleepers.add(wakeUp);
});
const wake = () => [...sleepers].forEach((wakeUp) => wakeUp());

// An id begins with the time: the service keeps them in order, and new ones stand side by side.
function newId() {
  const chance = [...crypto.getRandomValues(new Uint8Array(10))].map((b) => b.toString(16).padStart(2, "0")).join("");
  return `${Date.now().toString(36).padStart(9, "0")}-${chance}`;
}

/* ---------- showing ---------- */

const clone = (id) => $(id).content.firstElementChild.cloneNode(true);

// As page.html's macro of the same name: a line is a paragraph, the break stays for whoever copies it.
function lines(text) {
  return text.split("\n").flatMap((line, index) => {
    const span = document.createElement("span");
    const [number] = line.match(/^\d{1,2}\. /) || [];
    if (number) {
      span.className = "point";
      span.append(Object.assign(document.createElement("span"), { className: "at", textContent: number }));
    } else if (/^[-+] /.test(line)) span.className = "item";
    span.append(line.slice(number ? number.length : 0));
    return index ? ["\n", span] : [span];
  });
}

function element(said) {
  const who = said.who || "assistant";
  const article = clone(`a-${who}`);
  article.dataset.id = said.id || "";
  if (who === "officer") {
    const name = article.querySelector("b");
    if (said.name) name.textContent = said.name; else name.remove();
  }
  article.querySelector(".text").replaceChildren(...lines(said.text));
  if ((said.attachments || []).length) {
    const files = clone("a-files");
    const empty = files.firstElementChild;
    for (const file of said.attachments) {
      const item = empty.cloneNode(true);
      const link = item.firstElementChild;
      link.href = file.path;
      link.download = link.textContent = file.name;
      files.append(item);
    }
    empty.remove();
    article.append(files);
  }
  if ((said.choices || []).length || said.control) article.append(ask(said));
  return article;
}

function ask(said) {
  const made = clone("an-ask");
  const { kind = "", value = "", sends = value, labels = [], picked = [], alone = [] } = said.control || {};
  Object.assign(made.dataset, { kind, value, sends, alone: alone.join(" ") });
  if (kind) {
    made.setAttribute("role", "group");
    made.setAttribute("aria-label", words[`page_${kind}_label`]);
  }
  const [steppers, choices, done, asides] = [".steppers", ".choices", ".done", ".asides"].map((one) => made.querySelector(one));
  if (kind === "several") choices.after(done);
  if (!kind) done.remove();
  const all = said.choices || [];
  each(steppers, labels, stepper);
  each(choices, all.filter((choice) => !choice.aside), (row, choice, index) => {
    row.querySelector(".number").textContent = index + 1;
    choiceRow(row, choice);
    if (kind === "several" && !choice.url && (choice.value || "").startsWith(value)) {
      const tick = Object.assign(document.createElement("input"), { type: "checkbox", className: "tick", autocomplete: "off" });
      face(row, "label").prepend(tick, " ");
    }
  });
  each(asides, all.filter((choice) => choice.aside), choiceRow);
  // Where nothing is asked and nothing has a number, the ways aside are what to do next.
  if (!kind && !said.progress && all.every((choice) => choice.aside)) {
    asides.className = "choices";
    asides.setAttribute("aria-label", words.page_choices_label);
  }
  open(made, true);
  preset(made, picked);
  return made;
}

// One copy of the only child for each item; a list without items goes.
function each(list, items, shape) {
  const empty = list.firstElementChild;
  items.forEach((item, index) => {
    const row = empty.cloneNode(true);
    shape(row, item, index);
    list.append(row);
  });
  empty.remove();
  if (!items.length) list.remove();
}

function choiceRow(row, choice) {
  row.dataset.value = choice.value || "";
  row.querySelector(".label").textContent = choice.label;
  if (!choice.url) return;
  const hint = Object.assign(document.createElement("span"), { className: "hint", textContent: words.page_new_tab });
  const link = face(row, "a");
  Object.assign(link, { href: choice.url, target: "_blank", rel: "noopener" });
  link.append(" ", hint);
}

function stepper(row, label) {
  row.querySelector(".label").textContent = label;
  for (const named of [row, row.querySelector(".count")]) named.setAttribute("aria-label", label);
  for (const button of row.querySelectorAll(".step")) button.setAttribute("aria-label", button.getAttribute("aria-label") + label);
}

function face(row, tag) {
  const old = row.querySelector(".face");
  const fresh = document.createElement(tag);
  fresh.className = "face";
  if (tag === "button") fresh.type = "button";
  fresh.append(...old.childNodes);
  old.replaceWith(fresh);
  return fresh;
}

function open(asked, yes) {
  if (asked.classList.contains("is-open") === yes) return;
  const focused = asked.contains(document.activeElement);
  if (asked.isConnected) asked.setAttribute("aria-live", "off"); // it was read out when it came
  asked.classList.toggle("is-open", yes);
  for (const row of asked.querySelectorAll(".choice")) {
    const tick = row.querySelector(".tick");
    if (tick) tick.disabled = !yes;
    else if (row.querySelector(".face").tagName !== "A") face(row, yes ? "button" : "span");
  }
  if (focused) rehome();
}

// What had the focus is no longer a button; a phone's keyboard must not jump up for that.
function rehome() {
  (matchMedia("(pointer: fine)").matches ? box : log).focus({ preventScroll: true });
}

// Only the newest message that asks can be answered by tapping, and only until the person has answered.
function settle() {
  let active = null;
  for (let said = log.lastElementChild; said; said = said.previousElementSibling) {
    if (said.matches(".person:not(.is-refused)")) break;
    active = said.querySelector(".ask");
    if (active) break;
  }
  for (const asked of log.querySelectorAll(".ask")) open(asked, asked === active);
}

const plain = (text) => text.trim().toLowerCase();
const labelOf = (row) => row.querySelector(".label").textContent;

function openAsk() {
  const asked = [...log.querySelectorAll(".ask")].pop();
  return asked && asked.classList.contains("is-open") ? asked : null;
}

// What was answered stays to be seen, as far as the page can tell by itself; record.py does the same.
function markChosen(item) {
  const asked = openAsk();
  if (!asked) return;
  const rows = [...asked.querySelectorAll(".choice")];
  const chosen = item.body.tap === undefined ? named(asked, rows, plain(item.body.text || "")) : tapped(asked, rows, item.body.tap);
  for (const row of rows) {
    row.classList.toggle("is-chosen", chosen.includes(row));
    row.querySelector(".chosen").textContent = chosen.includes(row) ? ` (${words.page_chosen})` : "";
  }
  const values = numbersIn(steppersOf(asked).map(labelOf), plain(item.body.label || item.body.text || ""));
  steppersOf(asked).forEach((row, index) => { row.querySelector(".value").textContent = values[index] || ""; });
}

function tapped(asked, rows, tap) {
  const { kind, sends } = asked.dataset;
  const names = kind === "several" && tap.startsWith(sends) ? tap.slice(sends.length).split("+") : [];
  return rows.filter((row) => row.dataset.value === tap || names.includes(nameOf(asked, row)));
}

function named(asked, rows, said) {
  const exact = rows.filter((row) => plain(labelOf(row)) === said);
  const several = asked.dataset.kind === "several";
  if (exact.length) return exact;
  if (/^\d+([\s,;+&/]+\d+)*$/.test(said)) {
    const numbered = rows.filter((row) => row.querySelector(".number"));
    const found = said.match(/\d+/g).map((number) => numbered[number - 1]);
    return found.every(Boolean) && (several || found.length === 1) ? found : [];
  }
  let rest = `${said}; `;
  const joined = rows.filter((row) => {
    const begins = several && rest.startsWith(`${plain(labelOf(row))}; `);
    if (begins) rest = rest.slice(labelOf(row).trim().length + 2);
    return begins;
  });
  return rest ? [] : joined;
}

// The number for each label: sent by the page with the labels, or typed without; [] for any other answer.
function numbersIn(labels, said) {
  if (!labels.length) return [];
  const count = String.raw`(\?|~?\d[\d.,]*)`;
  const sent = labels.map((label) => `${plain(label).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}: (.+?)`).join("; ");
  const typed = labels.map(() => count).join(String.raw`\s+`);
  return (said.match(`^${sent}$`) || said.match(`^${typed}$`) || []).slice(1);
}

function unmarkChosen() {
  const asked = openAsk();
  if (!asked) return;
  for (const row of asked.querySelectorAll(".choice")) {
    row.classList.remove("is-chosen");
    row.querySelector(".chosen").textContent = "";
  }
}

/* ---------- tick boxes and steppers ---------- */

const ticksOf = (asked) => [...asked.querySelectorAll(".tick")];
const steppersOf = (asked) => [...asked.querySelectorAll(".stepper")];
const countOf = (row) => row.querySelector(".count");
const rowOf = (it) => it.closest(".choice, .stepper");
const nameOf = (asked, row) => row.dataset.value.slice(asked.dataset.value.length);
const fill = (key, values) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const typedIn = (row) => countOf(row).value.trim().replace(/(\d)\s+(?=\d)/g, "$1").replace(/\s+/g, " ");
const isNumber = (text) => text === "?" || /^\D*\d[\d.,]*\D*$/.test(text); // «khoảng 20» is read by the service

const ticked = (asked) => ticksOf(asked).filter((tick) => tick.checked).map((tick) => rowOf(tick));
const standing = (asked) => asked.dataset.kind === "several"
  ? ticked(asked).map((row) => nameOf(asked, row))
  : steppersOf(asked).map(typedIn);

// What stands already: what the service knows, else what was begun here before a reload or a question in between.
function preset(asked, picked) {
  if (!asked.dataset.kind) return;
  const begun = store.read("begun") || {};
  const given = picked.some(Boolean) || begun.value !== asked.dataset.value ? picked : begun.standing;
  for (const tick of ticksOf(asked)) tick.checked = given.includes(nameOf(asked, rowOf(tick)));
  steppersOf(asked).forEach((row, index) => { countOf(row).value = given[index] || ""; });
  refresh(asked);
}

function refresh(asked) {
  const count = ticked(asked).length;
  asked.querySelector(".done .act").textContent = count ? fill("page_done_count", { count }) : words.page_done;
  for (const row of steppersOf(asked)) {
    row.querySelector(".unknown").setAttribute("aria-pressed", String(typedIn(row) === "?"));
    if (isNumber(typedIn(row))) lacks(row, false);
  }
  if (!steppersOf(asked).some((row) => row.matches(".is-missing"))) complain(asked, "");
}

function changed(asked) {
  store.write("begun", { value: asked.dataset.value, standing: standing(asked) });
  refresh(asked);
}

function complain(asked, text) {
  asked.querySelector(".done .fault").textContent = text;
}

function lacks(row, yes) {
  row.classList.toggle("is-missing", yes);
  if (yes) countOf(row).setAttribute("aria-invalid", "true"); else countOf(row).removeAttribute("aria-invalid");
  if (yes) row.querySelector(".lack").textContent = typedIn(row) ? words.page_not_a_number : words.page_no_number;
}

function step(row, by) {
  const now = typedIn(row);
  const number = Number(now.replace(",", "."));
  if (now && now !== "?" && !Number.isInteger(number)) return; // «12,5» is its writer's to change
  set(row, String(Math.max(0, (now === "?" ? 0 : number) + by)));
}

function set(row, value) {
  countOf(row).value = value;
  $("spoken").textContent = `${labelOf(row)}: ${value === "?" ? words.page_unknown : value}`;
  changed(row.closest(".ask"));
}

function finish(asked) {
  if (asked.dataset.kind === "several") finishTicks(asked); else finishSteppers(asked);
}

function finishTicks(asked) {
  const rows = ticked(asked);
  if (!rows.length) { complain(asked, words.page_pick_one); return; }
  answer(asked, standing(asked).join("+"), rows.map(labelOf).join("; "));
}

function finishSteppers(asked) {
  const rows = steppersOf(asked);
  const missing = rows.filter((row) => !isNumber(typedIn(row)));
  for (const row of rows) lacks(row, missing.includes(row));
  if (missing.length) {
    complain(asked, fill("page_numbers_missing", { count: missing.length }));
    countOf(missing[0]).focus();
    return;
  }
  answer(asked, standing(asked).join(" "), rows.map((row) => `${labelOf(row)}: ${typedIn(row)}`).join("; "));
}

function answer(asked, values, label) {
  if (gone) return;
  store.write("begun", null);
  say({ tap: asked.dataset.sends + values, label });
}

log.addEventListener("change", ({ target }) => {
  if (!target.matches(".tick")) return;
  const asked = target.closest(".ask");
  const alone = asked.dataset.alone.split(" ");
  const isAlone = (tick) => alone.includes(nameOf(asked, rowOf(tick)));
  for (const tick of target.checked ? ticksOf(asked) : []) {
    if (tick !== target && (isAlone(tick) || isAlone(target))) tick.checked = false;
  }
  changed(asked);
});
log.addEventListener("input", ({ target }) => { if (target.matches(".count")) changed(target.closest(".ask")); });
log.addEventListener("keydown", (event) => {
  if (!event.target.matches(".count")) return;
  const row = rowOf(event.target);
  const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (by) step(row, by);
  else if (event.key === "Enter" && !event.isComposing) next(row);
  else return;
  event.preventDefault();
});

// Enter goes to what is still empty, then sends.
function next(row) {
  const asked = row.closest(".ask");
  const rows = steppersOf(asked);
  const after = [...rows.slice(rows.indexOf(row) + 1), ...rows].find((other) => !typedIn(other));
  if (after && after !== row) countOf(after).focus(); else finish(asked);
}

function showProgress(at) {
  $("progress").hidden = !at;
  box.placeholder = at ? words.page_box_answer : words.page_box_hint;
  if (!at) return;
  const [done, total] = at;
  Object.assign($("progress").firstElementChild, { max: total, value: done });
  $("counted").textContent = fill("page_progress", { done, total });
}

/* ---------- scrolling ---------- */

let anchor = null; // the first message the reader may not have seen
let parked = 0; // where we last scrolled to by ourselves
let atEnd = true;
let unseen = 0;

const bottom = () => scroll.scrollHeight - scroll.clientHeight;
const ended = () => scroll.scrollTop >= bottom() - 60;
const following = () => ended() || Math.abs(scroll.scrollTop - parked) < 8;
const belowFold = (it) => it.getBoundingClientRect().top > scroll.getBoundingClientRect().bottom - 40;
// What nobody would look for: a whole message, or what can be done about a long one.
const ahead = () => [log.lastElementChild, openAsk()].some((it) => it && belowFold(it));

// To the end, but never so far that a long answer's first line leaves the screen.
function follow() {
  const top = document.querySelector(".top");
  const head = getComputedStyle(top).position === "sticky" ? top.offsetHeight : 0;
  const limit = anchor ? anchor.offsetTop - head - 12 : Infinity;
  parked = Math.max(0, Math.min(bottom(), limit));
  scroll.scrollTop = parked;
  atEnd = ended();
}

function append(said, mine) {
  const seen = ended();
  const follows = following();
  log.append(said);
  settle();
  if (mine || seen || !anchor) anchor = said;
  if (mine || follows) follow();
  newer.hidden = !ahead();
  newer.firstElementChild.textContent = belowFold(said) ? words.page_new : words.page_further;
  if (document.hidden && !mine) document.title = `(${++unseen}) ${title}`;
}

scroll.addEventListener("scroll", () => {
  atEnd = ended();
  if (!ahead()) newer.hidden = true;
}, { passive: true });

// The keyboard or a growing box must not cover the last message.
new ResizeObserver(() => {
  const count = document.activeElement.closest(".count");
  if (count) count.scrollIntoView({ block: "nearest" });
  else if (atEnd) scroll.scrollTop = parked = bottom();
}).observe(scroll);

newer.addEventListener("click", () => {
  if (belowFold(log.lastElementChild)) follow(); else scroll.scrollTop = parked = bottom();
  newer.hidden = true;
  log.focus({ preventScroll: true });
});

let typingTimer = 0;
function setTyping(on) {
  clearTimeout(typingTimer);
  if (!on) { typing.hidden = true; return; }
  typingTimer = setTimeout(() => {
    const follows = following();
    typing.hidden = false;
    if (follows) follow();
    typingTimer = setTimeout(() => setTyping(false), 10000);
  }, 300);
}

/* ---------- sending ---------- */

const outbox = []; // {id, body, reload} in order; the first one is on its way
const elements = new Map(); // id → the message on the page, until the server has it
let sending = false;
let awaited = 0; // the cursor of the answer to what was sent last
let reloadAt = null;

const save = () => store.write("outbox", outbox.map(({ id, body, reload }) => ({ id, body, reload })));

function show(item) {
  const said = element({ who: "person", id: item.id, text: item.body.label || item.body.text || words.page_start });
  said.classList.add("is-sending");
  elements.set(item.id, said);
  if (item.body.start === undefined) markChosen(item);
  append(said, true);
}

function say(body) {
  // The language is the person's, kept by the server: asked for in words, seen after a reload.
  const reload = plain(body.label || body.text || "") === plain($("language").dataset.says);
  const item = { id: newId(), body, reload };
  outbox.push(item);
  save();
  page.classList.remove("is-fresh");
  if (body.start === undefined) show(item); // an opened link is shown only if it fails
  release();
}

// Try what was given up, from the first one on.
function release() {
  for (const item of outbox) {
    Object.assign(item, { held: false, tries: 0 });
    if (!elements.has(item.id)) continue;
    fault(item, "");
    elements.get(item.id).classList.remove("is-failed");
  }
  wake();
  send();
}

function fault(item, text, button, act) {
  if (!elements.has(item.id)) {
    if (!text) return;
    show(item);
  }
  const said = elements.get(item.id);
  const old = said.querySelector(".fault");
  if (old && old.dataset.text === text && !button) return; // not read out again
  if (old && old.contains(document.activeElement)) rehome();
  if (old) old.remove();
  if (!text) return;
  const line = document.createElement("p");
  line.className = "fault";
  line.dataset.text = text;
  line.append(text);
  if (button) {
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = button;
    again.addEventListener("click", act);
    line.append(" ", again);
  }
  const follows = following();
  said.append(line);
  if (follows) follow();
}

async function post(item) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), POST_LIMIT);
  try {
    const response = await fetch(door, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": language },
      body: JSON.stringify({ id: item.id, ...item.body }),
      signal: control.signal,
    });
    const answer = await response.json().catch(() => ({}));
    return { status: response.status, ...answer };
  } catch {
    return { status: 0 };
  } finally {
    clearTimeout(timer);
  }
}

async function send() {
  if (sending) return;
  sending = true;
  while (outbox.length && !outbox[0].held && !gone) {
    const item = outbox[0];
    const answer = await post(item);
    if (gone) break;
    if (answer.status === 200) committed(item, answer.cursor);
    else if (answer.status === 409 || answer.status === 410) away(answer.error);
    else if (answer.status === 0 || answer.status === 429 || answer.status >= 500) await again(item, answer);
    else refused(item, answer.error);
  }
  sending = false;
}

function drop(item) {
  outbox.shift();
  save();
  if (outbox.length) fault(outbox[0], "");
}

function committed(item, reached) {
  const said = elements.get(item.id);
  drop(item);
  if (said && item.body.start !== undefined) said.remove();
  else if (said) {
    fault(item, "");
    said.classList.remove("is-sending", "is-failed");
  }
  elements.delete(item.id);
  wake();
  if (item.reload) {
    reloadAt = reached;
    setTimeout(() => location.reload(), 4000);
  }
  if (reached > cursor) {
    awaited = reached;
    setTyping(true);
    setTimeout(catchUp, DEAF, reached);
  }
  arrived();
}

async function again(item, answer) {
  const waits = Number(answer.retry_after) || 0;
  item.tries = (item.tries || 0) + 1;
  if (item.tries > PAUSES.length || waits > LONGEST_WAIT) {
    item.held = true;
    fault(item, answer.error || words.page_failed, words.page_resend, release);
    elements.get(item.id).classList.add("is-failed");
  } else {
    fault(item, answer.error || words.page_retrying);
  }
  for (const later of outbox.slice(1)) fault(later, words.page_waiting);
  if (!item.held) await sleep(Math.max(PAUSES[item.tries - 1], waits * 1000));
}

function refused(item, error) {
  const text = item.body.text;
  const edit = () => {
    box.value = box.value.trim() ? `${text}\n${box.value}` : text;
    draft();
    elements.delete(item.id);
    said.remove();
    box.focus();
  };
  fault(item, error || words.page_refused, text ? words.page_edit : null, edit);
  const said = elements.get(item.id);
  drop(item);
  said.classList.remove("is-sending");
  said.classList.add("is-refused");
  settle();
  unmarkChosen();
  setTyping(false);
}

function away(error) {
  if (gone) return;
  gone = true;
  setTyping(false);
  connected(true);
  wake();
  // What was not sent must not go out in somebody else's name: it becomes the draft, the person decides.
  const unsent = outbox.map((item) => item.body.text).filter(Boolean);
  if (unsent.length) box.value = [...unsent, box.value].filter(Boolean).join("\n");
  for (const item of outbox) if (elements.has(item.id)) fault(item, words.page_failed);
  outbox.length = 0;
  save();
  draft();
  $("away").append($("an-away").content.cloneNode(true));
  $("away").querySelector("p").textContent = error || words.page_away;
  $("away").querySelector("button").addEventListener("click", () => location.reload());
}

/* ---------- receiving ---------- */

let deaf = false; // the stream opens but nothing comes through it: ask by long poll
let stopStream = () => {};

function receive(said) {
  if (said.cursor != null) {
    if (said.cursor <= cursor) return;
    cursor = said.cursor;
  }
  if (said.who === "person") {
    const known = said.id && [...log.children].some((other) => other.dataset.id === said.id);
    if (known) return;
    page.classList.remove("is-fresh"); // written in another tab
    markChosen({ body: { text: said.text } });
  }
  if (cursor >= awaited) setTyping(false);
  if (said.who !== "person") showProgress(said.progress);
  append(element(said), false);
  arrived();
}

function arrived() {
  if (reloadAt !== null && cursor >= reloadAt) location.reload();
}

function connected(yes) {
  const was = lost.textContent;
  lost.textContent = yes ? "" : words.page_lost;
  if (yes && was) release();
}

const events = (extra = "") => `${door}/events?mine&after=${cursor}${extra}`;

async function get(url, accept, signal) {
  const response = await fetch(url, { headers: { Accept: accept, "Accept-Language": language }, cache: "no-store", signal });
  if (response.status === 409 || response.status === 410) {
    const answer = await response.json().catch(() => ({}));
    away(answer.error);
  }
  if (!response.ok) throw new Error(`events: ${response.status}`);
  return response;
}

async function poll(seconds, listening = true) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), (seconds + 10) * 1000);
  if (listening) stopStream = () => control.abort();
  try {
    const response = await get(events(`&wait=${seconds}`), "application/json", control.signal);
    const answer = await response.json();
    if (gone) return 0;
    if (listening) connected(true);
    const before = cursor;
    answer.messages.forEach(receive);
    cursor = Math.max(cursor, answer.cursor || 0);
    return cursor - before;
  } finally {
    clearTimeout(timer);
  }
}

// Server-sent events by fetch: EventSource hides comments and statuses, and so a mute proxy and a lost cookie.
async function stream() {
  const control = new AbortController();
  stopStream = () => control.abort();
  let heard = false;
  let timer = setTimeout(() => { deaf = true; control.abort(); }, FIRST_SOUND);
  const started = Date.now();
  let reader = null;
  try {
    reader = (await get(events(), "text/event-stream", control.signal)).body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone) break;
      if (!heard) connected(true);
      heard = true;
      clearTimeout(timer);
      timer = setTimeout(() => control.abort(), SILENCE);
      const blocks = (rest + decoder.decode(value, { stream: true })).replace(/\r\n/g, "\n").split("\n\n");
      rest = blocks.pop();
      blocks.forEach(handle);
    }
  } catch (error) {
    if (!heard && !deaf) throw error; // never opened: the network or the server is away
  } finally {
    clearTimeout(timer);
    if (reader) control.abort();
  }
  if (!deaf && Date.now() - started < 1000) await sleep(1000);
}

function handle(block) {
  const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5));
  if (data.length) receive(JSON.parse(data.join("\n")));
}

async function listen() {
  let failures = 0;
  let polled = false;
  while (!gone) {
    try {
      if (deaf) {
        await poll(polled ? POLL : 1); // the first one only tells a mute stream from a dead network
        polled = true;
      } else {
        await stream();
      }
      failures = 0;
    } catch {
      if (gone) return;
      failures += 1;
      deaf = polled = false; // perhaps another network by then
      connected(false);
      await sleep(Math.min(1000 * 2 ** (failures - 1), 15000));
    }
  }
}

// The answer is known to exist and has not come: fetch it, and leave a stream that holds messages back.
async function catchUp(reached) {
  if (gone || deaf || cursor >= reached) return;
  try {
    if (await poll(1, false) && !deaf) { // it answers as soon as it has looked; 0 would not let it look
      deaf = true;
      stopStream();
    }
  } catch { /* the listener notices by itself */ }
}

addEventListener("online", () => { stopStream(); wake(); });
addEventListener("offline", () => { connected(false); stopStream(); });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  document.title = title;
  wake();
});

/* ---------- the box ---------- */

function draft() {
  store.write("draft", box.value);
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`; // the style sheet stops it at six lines
}

box.addEventListener("input", draft);
box.addEventListener("keydown", (event) => {
  // 229: the key belongs to an input method, also where isComposing has just ended (Safari)
  if (event.key !== "Enter" || event.shiftKey || event.altKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (!event.repeat) $("compose").requestSubmit();
});
$("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = box.value.trim();
  if (gone) $("away").querySelector("button")?.focus(); // what was typed stays
  if (!text || gone) return;
  box.value = "";
  draft();
  say({ text });
});

log.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || gone) return;
  const row = rowOf(button);
  if (button.matches(".face")) say({ tap: row.dataset.value, label: labelOf(row) });
  else if (button.matches(".unknown")) set(row, typedIn(row) === "?" ? "" : "?");
  else if (button.matches(".step")) step(row, Number(button.dataset.step));
  else if (button.matches(".done .act")) finish(button.closest(".ask"));
});

$("language").addEventListener("click", () => { if (!gone) say({ text: $("language").dataset.says }); });

/* ---------- «không phải tôi» ---------- */

const leaving = $("leaving");

function askLeave(yes) {
  leaving.hidden = !yes;
  $("leave").setAttribute("aria-expanded", String(yes));
  $("leaving-fault").textContent = "";
  (yes ? $("leaving-title") : $("leave")).focus({ preventScroll: true });
}
$("leave").addEventListener("click", () => askLeave(leaving.hidden));
$("stay").addEventListener("click", () => askLeave(false));
leaving.addEventListener("keydown", (event) => { if (event.key === "Escape") askLeave(false); });
leaving.addEventListener("submit", async (event) => {
  event.preventDefault();
  gone = true; // from here on the cookie may be closed: nobody asks with it for news
  stopStream();
  const left = await fetch(leaving.getAttribute("action"), {
    method: "POST", headers: { "Accept-Language": language },
  }).catch(() => null);
  if (!left || !(left.ok || left.status === 409 || left.status === 410)) {
    $("leaving-fault").textContent = words.page_leave_failed;
    gone = false;
    listen();
    send();
    return;
  }
  if (tabs) tabs.postMessage("left");
  try { sessionStorage.clear(); } catch { /* nothing was kept */ }
  location.replace(location.pathname);
});

// Another tab has closed the conversation: this one neither goes on as whoever comes next nor shows them what was said.
if (tabs) tabs.addEventListener("message", () => {
  away();
  stopStream();
  box.value = "";
  draft();
  store.write("begun", null);
  showProgress(null);
  [...log.children].slice(1).forEach((said) => said.remove());
});

/* ---------- beginning ---------- */

// Where a browser does not shrink the page for the on-screen keyboard (iOS), do it here.
const view = window.visualViewport;
if (view) {
  const fit = () => {
    const hidden = view.scale === 1 && innerHeight - view.height > 80;
    page.style.height = hidden ? `${view.height}px` : "";
    if (hidden) scrollTo(0, 0);
  };
  view.addEventListener("resize", fit);
}

const begun = openAsk();
if (begun) preset(begun, standing(begun)); // the page's own picks, or those begun before a reload
scroll.scrollTop = parked = log.children.length > 1 ? bottom() : 0;
box.value = store.read("draft") || "";
draft();

const delivered = new Set([...log.children].map((said) => said.dataset.id));
for (const item of store.read("outbox") || []) {
  if (delivered.has(item.id)) continue; // it arrived, only the acknowledgement did not
  outbox.push(item);
  if (item.body.start === undefined) show(item);
}
const query = new URLSearchParams(location.search);
if (query.has("start")) {
  const start = query.get("start");
  query.delete("start");
  if (start) say({ start });
  history.replaceState(null, "", location.pathname + (String(query) && `?${query}`) + location.hash);
}
if (outbox.length) page.classList.remove("is-fresh");
save();
send();
listen();

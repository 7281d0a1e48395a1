// What a visitor does with <fcs-chart>: pointer and keys, what is read aloud, the table of the
// bars. See docs/charts.md. A module: fcs-elements.js imports it when a visitor first works with a
// chart.
/** @type {{ kit: any }} */
const { kit } = Object.getPrototypeOf(FCSTickerElement);
const { node, text } = kit;
const HOUR = 3600;
const DAY = 86_400;
const WEEK = 7 * DAY;
const MONTH = 28 * DAY;
const MOST_ROWS = 1000;
const DATE = 84; // the width of the date at the left of the time axis

/** What each key does, while the plot has the focus. */
const KEYS = {
  ArrowLeft: ["step", -1], ArrowRight: ["step", 1], PageUp: ["step", -10], PageDown: ["step", 10],
  Home: ["step", -Infinity], End: ["step", Infinity], ArrowUp: ["turn", -1], ArrowDown: ["turn", 1],
  "+": ["zoom", 1], "=": ["zoom", 1], "-": ["zoom", -1], "−": ["zoom", -1], 0: ["fit"],
  Enter: ["sum"], "?": ["help"], Escape: ["leave"],
};
const HELP = [
  ["← →", "previous, next bar"], ["Page Up, Page Down", "ten bars"],
  ["Home, End", "first, newest bar"], ["↑ ↓", "price, volume, day, lines"],
  ["+ − 0", "nearer, farther, as it was"], ["Enter", "summary of what is in view"],
  ["?", "these keys"], ["Esc", "cursor away, back to now"],
];

/** A sentence: some languages end a short month with a point of its own. */
const ended = (words) => words.endsWith(".") ? words : `${words}.`;

// Speech: sentences for screen readers, in the language of the page.
class Speech {
  constructor({ figures, clock }) {
    this.figures = figures;
    this.clock = clock;
  }

  /** "up 0.18 percent" */
  move(from, to) { return this.moved((to - from) / from * 100); }
  moved(percent) {
    if (!Number.isFinite(percent) || !percent) return text("unchanged");
    const words = this.figures.number(Math.abs(percent), 2);
    return text(percent > 0 ? "up {n} percent" : "down {n} percent", words);
  }

  /** "5 minutes" */
  span(length) {
    /** @type {[string, number][]} */
    const units = [["month", MONTH], ["week", WEEK], ["day", DAY], ["hour", HOUR], ["minute", 60]];
    const [unit, size] = units.find(([, size]) => length >= size) ?? units[4];
    return this.#count(length / size, { style: "unit", unit, unitDisplay: "long" });
  }

  bar([t, open, high, low, close, volume]) {
    const [o, h, l, c] = [open, high, low, close].map((price) => this.figures.number(price));
    const prices = `${text("Open")} ${o}, ${text("High")} ${h}, ${text("Low")} ${l}.`;
    const more = volume ? ` ${this.volume(volume)}` : "";
    const end = `${text("Close")} ${c}, ${this.move(open, close)}.`;
    return `${ended(this.clock.time(t))} ${end} ${prices}${more}`;
  }

  volume(volume) {
    const options = { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 3 };
    return `${text("Volume")} ${this.#count(volume, options)}.`;
  }

  /** "Mon 30 Nov, 13:40 – Mon 30 Nov, 13:55" */
  between(from, to) { return [from, to].map((t) => this.clock.time(t)).join(" – "); }
  hole({ from, to }) { return `${this.between(from, to)}, ${text("no data")}.`; }
  /** "Bars: 200, 30 Nov, 12:05 – 1 Dec, 04:40." */
  count(bars) {
    const [[first], [last]] = [bars[0], bars[bars.length - 1]];
    return ended(`${text("Bars: {n}", bars.length)}, ${this.clock.range(first, last)}`);
  }

  line({ price, label }) { return `${label || text("Line")} ${this.figures.number(price)}.`; }

  /** What is in view: from which price to which, and the highest and the lowest one. */
  sum({ bars, first, last }) {
    const seen = bars.slice(first, last + 1);
    const best = (name, place, sign) => {
      const bar = seen.reduce((one, other) => sign * (other[place] - one[place]) > 0 ? other : one);
      return ended(`${text(name)} ${this.figures.number(bar[place])}, ${this.clock.time(bar[0])}`);
    };
    const [open, close] = [seen[0][1], seen[seen.length - 1][4]];
    const ends = [open, close].map((price) => this.figures.number(price)).join(" – ");
    const move = `${text("In view")}: ${ends}, ${this.move(open, close)}.`;
    return [move, best("High", 2, 1), best("Low", 3, -1)].join(" ");
  }

  #count(value, options) {
    const latin = { ...options, numberingSystem: "latn" };
    return new Intl.NumberFormat(this.figures.language, latin).format(value);
  }
}

/** The table of bars, the newest first, and of the holes between them. */
const tableOf = ({ bars, holes, figures, clock }, name, speech) => {
  const table = document.createElement("table");
  table.createCaption().textContent = name;
  const head = table.createTHead().insertRow();
  const cell = (words, scope) =>
    Object.assign(document.createElement("th"), { textContent: words, scope });
  for (const words of ["Time", "Open", "High", "Low", "Close", "Volume"]) {
    head.append(cell(text(words), "col"));
  }
  const body = table.createTBody();
  const rowOf = (words) => {
    const row = body.insertRow();
    row.append(cell(words, "row"));
    return row;
  };
  for (const [place, [t, ...values]] of [...bars.entries()].slice(-MOST_ROWS).reverse()) {
    const row = rowOf(clock.time(t));
    for (const [index, value] of values.entries()) {
      const words = index < 4 ? figures.number(value) : figures.abbreviate(value);
      row.insertCell().textContent = words;
    }
    const hole = holes.find(({ index }) => index === place);
    if (!hole) continue;
    const words = { colSpan: 5, textContent: text("no data") };
    Object.assign(rowOf(speech.between(hole.from, hole.to)).insertCell(), words);
  }
  return table;
};

// Pointer: mouse and fingers over the plot. A vertical drag is the page's: see fcs-chart.css.
const STILL = 4; // pixels until a press is a drag
const NOTCH = 40; // of a wheel, or of two fingers
class Pointer {
  static #types = [
    "pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave", "wheel",
  ];
  #plot; #act; #fingers = new Map(); #moved = 0; #turned = 0; #spread = 0;

  constructor(plot, act) {
    this.#plot = plot;
    this.#act = act;
    for (const type of Pointer.#types) plot.addEventListener(type, this, { passive: false });
  }

  close() { for (const type of Pointer.#types) this.#plot.removeEventListener(type, this); }

  /** @param {any} event */
  handleEvent(event) {
    const { left, top } = this.#plot.getBoundingClientRect();
    const place = { x: event.clientX - left, y: event.clientY - top };
    this[event.type](event, place);
  }

  pointerdown({ pointerId, button, pointerType }, place) {
    if (button) return;
    this.#fingers.set(pointerId, place);
    this.#moved = 0;
    this.#spread = this.#distance();
    if (pointerType === "mouse") this.#plot.setPointerCapture(pointerId);
  }

  pointermove({ pointerId, pointerType, buttons }, place) {
    if (!buttons) this.#fingers.delete(pointerId); // it was let go outside of the plot
    const before = this.#fingers.get(pointerId);
    if (!before) {
      if (buttons === 1) this.#fingers.set(pointerId, place); // it was down before this module came
      else this.#act("point", place);
      return;
    }
    this.#fingers.set(pointerId, place);
    if (this.#fingers.size === 2) {
      this.#pinch(place);
      return;
    }
    this.#moved += place.x - before.x;
    if (Math.abs(this.#moved) < STILL) return;
    this.#act("move", Math.abs(this.#moved - place.x + before.x) < STILL
      ? this.#moved : place.x - before.x);
    if (pointerType === "mouse") this.#act("point", place);
  }

  pointerup({ pointerId }, place) {
    const isTap = this.#fingers.delete(pointerId) && Math.abs(this.#moved) < STILL;
    if (isTap) this.#act("point", place);
  }

  pointercancel({ pointerId }) { this.#fingers.delete(pointerId); }
  pointerleave({ pointerType }) { if (pointerType === "mouse") this.#act("hide"); }

  // A wheel scrolls the page, unless the visitor works with the chart.
  wheel(event, { x }) {
    const { deltaX, deltaY, ctrlKey, metaKey, shiftKey } = event;
    const isAcross = Math.abs(deltaX) > Math.abs(deltaY) || shiftKey;
    const isMeant = ctrlKey || metaKey || document.activeElement === this.#plot;
    if (!isAcross && !isMeant) return;
    event.preventDefault();
    if (isAcross) this.#act("move", -(deltaX || deltaY));
    else this.#turn(deltaY * (ctrlKey ? 4 : 1), x); // two fingers on a pad turn by little
  }

  #turn(amount, x) {
    this.#turned += amount;
    const steps = Math.trunc(this.#turned / NOTCH);
    this.#turned -= steps * NOTCH;
    if (steps) this.#act("zoom", -Math.sign(steps), x);
  }

  #pinch({ x }) {
    const spread = this.#distance();
    this.#turn(this.#spread - spread, x);
    this.#spread = spread;
  }

  #distance() {
    const [one, other] = [...this.#fingers.values()];
    return other ? Math.hypot(one.x - other.x, one.y - other.y) : 0;
  }
}

/** Point to a bar, or to the hole before it. */
const point = ({ bars, cursor }, index, y = null, isHole = false) =>
  Object.assign(cursor, { index, y, isHole, t: bars[index]?.[0] });

// Visitor: what is done with one chart.
class Visitor {
  #host; #turned = 0; #table = node("div", { part: "table" });
  /** @type {Pointer | null} */ #pointer = null;

  constructor(host) {
    this.#host = host;
    this.begin();
  }

  /** Begin with the plot that the chart has now. */
  begin() {
    this.#pointer?.close();
    this.#pointer = new Pointer(this.#facts.parts.plot, (...act) => this.#act(...act));
    this.label();
  }

  /** Leave nothing behind in a chart that is taken away. */
  close() {
    this.#pointer?.close();
    if (this.#table.parentNode) this.toggle();
  }

  get #plot() { return this.#host.plot; }
  get #facts() { return this.#plot.facts; }
  get #speech() { return new Speech(this.#facts); }

  /** Say what is heard when the plot gets the focus. */
  label() {
    const { bars, parts } = this.#facts;
    const span = bars.length && this.#speech.count(bars);
    const hint = `${text("Arrows read the bars, question mark for help")}.`;
    const words = [`${this.#title()}.`, span, this.#last(), hint].filter(Boolean).join(" ");
    if (parts.plot.ariaLabel !== words) parts.plot.ariaLabel = words;
  }

  key(event) {
    const [act, count] = KEYS[event.key] ?? [];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (!this.#facts.sheet) {
      this.#say([...new Set([this.#last(), ...this.#notices()])].join(" "));
      return;
    }
    this.#act(act, count);
    // The drawing follows in the next frame.
    if (/zoom|fit/.test(act)) requestAnimationFrame(() => this.#plot && this.#act("view"));
  }

  /** Show where the cursor is, or nothing. */
  mark() {
    const { cursor, sheet, parts } = this.#facts;
    const bar = cursor.isHole ? null : sheet.bars[cursor.index];
    parts.drawing.over(bar ? this.#cross(bar) : []);
  }

  #cross(bar) {
    const { cursor: { index, y }, sheet, axis, clock, shapes: { path, tag } } = this.#facts;
    const { box: { width, ax, ay }, scale } = sheet;
    const x = Math.floor(sheet.middle(index)) + 0.5;
    const [top, end, close] = [bar[2], bar[3], bar[4]].map((price) => scale.y(price));
    const level = Math.floor(Math.min(Math.max(y ?? close, 0), sheet.floor));
    const { high, low, top: roof, bottom } = scale;
    const price = y === null ? bar[4] : high - (level - roof) / (bottom - roof) * (high - low);
    const words = clock.time(bar[0]);
    const wide = 12 + 6 * words.length;
    const left = Math.floor(Math.min(Math.max(x - wide / 2, DATE), ax - wide));
    return [
      path("cross", `M${x} 0V${ay}M0 ${level + 0.5}H${ax}`),
      ["rect", {
        ...{ class: "cursor", x: sheet.x(index) - 1.5, y: top - 3.5, rx: 2 },
        ...{ width: Math.max(sheet.pitch, sheet.body + 3), height: end - top + 7 },
      }],
      tag("ink", ax, level, width - ax - 4, axis.write(price)),
      tag("ink", left, ay + 12, wide, words, "", "middle"),
    ];
  }

  #act(act, ...given) { this.#plot.act(() => this.#does[act](...given)); }

  /** Show the table or take it away. */
  toggle() {
    if (this.#table.parentNode) this.#table.remove();
    else this.#host.append(this.#table);
    Object.assign(this.#table, { tabIndex: 0, role: "region", ariaLabel: text("Bars as a table") });
    this.#facts.parts.table.ariaExpanded = String(this.#table.isConnected);
    this.list();
  }

  /** Write the table, if it is shown. */
  list() {
    if (!this.#table.isConnected) return;
    this.#table.replaceChildren(tableOf(this.#facts, this.#title(), this.#speech));
  }

  #does = {
    move: (pixels) => this.#facts.sight.move(pixels),
    zoom: (count, x) => this.#facts.sight.step(count, this.#facts.sheet, x),
    fit: () => this.#facts.sight.reset(),
    view: () => {
      const { bars, first, last } = this.#facts.sheet;
      this.#say(this.#speech.count(bars.slice(first, last + 1)));
    },
    point: ({ x, y }) => {
      const { sheet } = this.#facts;
      if (x <= sheet.box.ax) point(this.#facts, sheet.at(x), y);
    },
    hide: () => point(this.#facts, -1),
    step: (count) => {
      const { bars, holes, cursor } = this.#facts;
      this.#turned = 0;
      this.#step(count, this.#facts);
      this.#reveal();
      const { index, isHole } = cursor;
      const hole = isHole && holes.find((one) => one.index === index);
      this.#say(hole ? this.#speech.hole(hole) : this.#speech.bar(bars[index]));
    },
    turn: (count) => {
      const all = this.#values();
      this.#turned = (this.#turned + count + all.length) % all.length;
      this.#say(all[this.#turned]);
    },
    sum: () => {
      const { sheet, levels } = this.#facts;
      const speech = this.#speech;
      this.#say([speech.sum(sheet), ...levels.map((line) => speech.line(line))].join(" "));
    },
    help: () => {
      this.#help(true);
      this.#say(HELP.map(([keys, words]) => `${keys}: ${text(words)}.`).join(" "));
    },
    leave: () => {
      this.#help(false);
      point(this.#facts, -1);
      this.#facts.sight.home();
      this.#say(this.#last());
    },
  };

  // Brings the bar of the cursor into sight.
  #reveal() {
    const { cursor, sheet, sight } = this.#facts;
    const x = sheet.x(cursor.index);
    const { ax } = sheet.box;
    if (x < 0) sight.move(-x);
    if (x + sheet.body > ax) sight.move(ax - 12 - sheet.body - x);
  }

  // To another bar, and over a hole on the way from one to the next.
  #step(count, facts) {
    const { bars, holes, cursor } = facts;
    const last = bars.length - 1;
    const hasHole = (index) => holes.some((hole) => hole.index === index);
    const { index, isHole } = cursor;
    if (index < 0) point(facts, Math.max(last + Math.min(count + 1, 0), 0));
    else if (count === -1 && !isHole && hasHole(index)) point(facts, index, null, true);
    else if (count === 1 && !isHole && hasHole(index + 1)) point(facts, index + 1, null, true);
    else if (count === 1 && isHole) point(facts, index);
    else point(facts, Math.min(Math.max(index + count, 0), last));
  }

  // The values at the cursor, one after the other.
  #values() {
    const { bars, cursor, previous, levels, day } = this.#facts;
    const bar = bars[cursor.index] ?? bars[bars.length - 1];
    const known = [
      { price: day.h, label: text("High of the day") },
      { price: day.l, label: text("Low of the day") },
      { price: previous, label: text("Previous close") }, ...levels,
    ].filter(({ price }) => Number.isFinite(price));
    return [
      this.#speech.line({ price: bar[4], label: text("Close") }),
      ...bar[5] ? [this.#speech.volume(bar[5])] : [],
      ...known.map((line) => this.#speech.line(line)),
    ];
  }

  // "EUR/USD, Candles, 5 minutes"
  #title() {
    const { name, title, length } = this.#facts;
    return `${name}, ${title}, ${this.#speech.span(length)}`;
  }

  // "Last 1.08412, up 0.21 percent, live." The change is the one above the chart.
  #last() {
    const { bars, percent, figures, words } = this.#facts;
    const bar = bars[bars.length - 1];
    const shown = this.#host.querySelector("[data-part=head] [data-field=close]");
    const price = bar ? figures.number(bar[4]) : shown?.textContent ?? "";
    const last = /\d/.test(price) && `${text("Last")} ${price}`;
    const base = Number(this.#host.dataset.base);
    const move = base ? bar && this.#speech.move(base, bar[4])
      : Number.isFinite(percent) && this.#speech.moved(percent);
    return ended([last, move, words].filter(Boolean).join(", "));
  }

  // What stands over the plot, as sentences.
  #notices() {
    const shown = [...this.#host.querySelectorAll("[data-part=over] > *")];
    return shown.map(({ textContent }) => textContent).filter(Boolean).map(ended);
  }

  #help(isShown) {
    const { plot } = this.#facts.parts;
    plot.querySelector("[data-part=keys]")?.remove();
    if (!isShown) return;
    const list = document.createElement("dl");
    list.dataset.part = "keys";
    for (const [keys, words] of HELP) {
      const [term, meaning] = ["dt", "dd"].map((tag) => document.createElement(tag));
      [term.textContent, meaning.textContent] = [keys, text(words)];
      list.append(term, meaning);
    }
    plot.append(list);
  }

  #say(words) { this.#facts.parts.spoken.textContent = words; }
}

/** @type {any} */
const element = customElements.get("fcs-chart");
if (element && !element.Visitor) {
  element.Visitor = Visitor;
  /** @type {NodeListOf<any>} */
  const hosts = document.querySelectorAll("fcs-chart");
  for (const host of hosts) host.furnish();
}

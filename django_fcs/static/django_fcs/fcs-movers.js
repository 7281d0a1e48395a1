// Ranks the rows of <fcs-movers> again as prices come: see docs/family.md. A module:
// fcs-elements.js imports it with the first one.
const { Live, NamedView, node, part, field, present, set, text } =
  /** @type {any} */ (Object.getPrototypeOf(FCSTickerElement)).kit;

const ELEMENT = "fcs-movers";
const ROW = "[data-symbol]";
const ROOM = [
  "data-symbol", "data-timeframe", "data-token", "data-href",
  "data-decimal", "data-thousand", "data-grouping",
];
const PAUSE_MS = 2000; // between two rankings
const FIRST_MS = 200; // the first prices of a page come together
const LEAST = 0.005; // a smaller change is written as zero
const [COUNT, COUNT_MAX] = [4, 20];
const SVG = "http://www.w3.org/2000/svg";
const canHover = matchMedia("(hover: hover)");

class RowView extends NamedView {
  static home = (host) => host.closest(ELEMENT)?.isConnected;

  begin(isUpgrade) {
    super.begin(isUpgrade);
    if (!isUpgrade) this.mark("change", null); // it was another symbol's
  }

  build() {
    const [bar, rect] = ["svg", "rect"].map((tag) => document.createElementNS(SVG, tag));
    set(bar, "data-part", "bar");
    set(bar, "aria-hidden", "true");
    set(rect, "height", "100%");
    bar.append(rect);
    const parts = [field("close"), bar, field("change_percent"), part("status")];
    return [this.link(), ...parts.flatMap((one) => [" ", one])];
  }

  status(words) {
    this.words.say(this.find("[data-part=status]"), words === text("live") ? "" : words);
    set(this.host, "title", `${this.find("[data-field=symbol]")?.textContent}, ${words}`);
  }
}

// The changes in percent that have come, by room: a morph makes a row one of another symbol.
const HEARD_MAX = 1000;
/** @type {Map<string, number>} */
const heard = new Map();
const roomOf = ({ dataset: { symbol, timeframe } }) => `${symbol} ${timeframe}`;
const hear = (row, { symbol, prices }) => {
  if (row.dataset.symbol !== symbol) return;
  heard.delete(roomOf(row));
  heard.set(roomOf(row), prices.chp ?? NaN);
  if (heard.size > HEARD_MAX) heard.delete([...heard.keys()][0]);
};
const changeOf = (row) => heard.get(roomOf(row)) ?? Number(row.dataset.change || NaN);
const isKnown = (row) =>
  !["stale", "waiting"].includes(row.dataset.state ?? "waiting") && Number.isFinite(changeOf(row));
const bySize = (a, b) => Math.abs(changeOf(b)) - Math.abs(changeOf(a))
  || (a.dataset.symbol < b.dataset.symbol ? -1 : 1);

const keepFree = (list, places) => {
  for (const row of list.querySelectorAll(":scope > [data-part=gap]")) row.remove();
  for (let place = 0; place < places; place += 1) {
    const gap = node("li", { part: "gap" }, "–");
    set(gap, "aria-hidden", "true");
    list.append(gap);
  }
};

const headings = () => ({ up: text("Up"), down: text("Down") });

class FCSMoversElement extends HTMLElement {
  static observedAttributes = ["count"];
  /** @type {Set<any>} */ #rows = new Set();
  #rankedAt = -Infinity; #isKept = false; #said = "";
  /** @type {number | undefined} */ #timer;
  #page = { paint() {}, settle: () => this.#translate() };
  #headings = headings();
  #changes = new MutationObserver((changes) => {
    // What happens within a row is the row's.
    const isOurs = ({ type, target }) => type === "attributes" || !target.closest(ROW);
    if (!changes.some(isOurs)) return;
    this.#sync();
    // A morph has brought the server's order back. By the prices, which the rows get before that.
    if (this.#rankedAt > 0) queueMicrotask(() => this.#rank());
  });

  constructor() {
    super();
    for (const type of ["fcs:price", "fcs:state", "pointerleave", "focusout"]) {
      this.addEventListener(type, this);
    }
  }

  connectedCallback() {
    this.#changes.observe(this, { subtree: true, childList: true, attributeFilter: ROOM });
    present.add(this.#page);
    this.#sync();
  }

  disconnectedCallback() {
    this.#changes.disconnect();
    present.delete(this.#page);
    this.#sync();
  }

  attributeChangedCallback() { this.#askRank(); }

  /** @param {any} event */
  handleEvent({ type, target, detail }) {
    if (type === "fcs:price") hear(target, detail);
    if (detail || this.#isKept) this.#askRank();
  }

  // Rows that have left the board leave their rooms, unless they are on another one.
  #sync() {
    /** @type {Set<any>} */
    const found = new Set(this.isConnected ? this.querySelectorAll(ROW) : []);
    // A row that is new counts as the server has it, until its price comes.
    for (const row of found) if (!this.#rows.has(row)) heard.delete(roomOf(row));
    for (const row of new Set([...found, ...this.#rows])) Live.of(row, RowView).schedule();
    this.#rows = found;
    this.#askRank();
  }

  #askRank() {
    if (!this.isConnected) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      return;
    }
    const ms = Math.max(this.#rankedAt + PAUSE_MS - performance.now(), FIRST_MS);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#rankedAt = performance.now();
      this.#rank();
    }, ms);
  }

  #rank() {
    const rows = [...this.#rows];
    const known = rows.filter(isKnown);
    const count = Math.min(Math.max(Math.trunc(Number(this.getAttribute("count"))) || COUNT, 1),
      COUNT_MAX);
    const moved = known.filter((row) => Math.abs(changeOf(row)) >= LEAST).sort(bySize);
    const [up, down] = [1, -1].map((sign) =>
      moved.filter((row) => changeOf(row) * sign > 0).slice(0, count));
    // Nothing moves away from below a pointer, and the focus stays where it is.
    this.#isKept = this.matches(":focus-within") || (canHover.matches && this.matches(":hover"));
    if (!this.#isKept) this.#place([up, down], Math.min(count, rows.length));
    this.#draw();
    this.#note();
    this.#changes.takeRecords(); // its own
  }

  // From the first row that is elsewhere, all are put in again: browsers count a row that is pushed
  // away as a shift of the page.
  #place(sides, places) {
    const lists = ["up", "down"].map((side) => this.#list(side));
    const moved = lists.map((list, side) => {
      const first = sides[side].findIndex((row, index) => list.children[index] !== row);
      return first < 0 ? [] : sides[side].slice(first);
    });
    const rest = this.querySelector("[data-part=rest]") ?? node("ol", { part: "rest" });
    rest.hidden = true;
    if (!rest.isConnected) this.append(rest);
    lists.forEach((list, side) => list.append(...moved[side]));
    const shown = new Set(sides.flat());
    for (const row of this.#rows) if (!shown.has(row) && row.parentNode !== rest) rest.append(row);
    lists.forEach((list, side) => keepFree(list, places - sides[side].length));
  }

  #list(side) {
    const found = this.querySelector(`[data-side=${side}] ol`);
    if (found) return found;
    const words = this.#headings[side];
    const list = node("ol");
    list.role = "list";
    list.ariaLabel = words;
    this.append(node("div", { side }, node("p", { part: "heading" }, words), list));
    return list;
  }

  // One scale for all that are shown, which a pointer may have kept from moving.
  #draw() {
    const shown = [...this.#rows].filter((row) => row.closest("[data-side]") && isKnown(row));
    const most = Math.max(...shown.map((row) => Math.abs(changeOf(row))));
    for (const row of shown) {
      const part = 100 * Math.abs(changeOf(row)) / most || 0;
      set(row.querySelector("rect"), "width", `${part.toFixed(1)}%`);
    }
  }

  #note() {
    const all = text("of {n}", this.#rows.size);
    const leftOut = [...this.#rows].filter((row) => !isKnown(row)).length;
    const missing = leftOut ? ` · ${text("{n} left out: price old or unknown", leftOut)}` : "";
    const words = all + missing;
    const note = this.querySelector("[data-part=note]") ?? node("p", { part: "note" });
    if (!note.isConnected) this.append(note);
    // Otherwise, what is shown is a translator's.
    const isOwn = words !== this.#said || note.textContent.startsWith(all);
    this.#said = words;
    if (isOwn && note.textContent !== words) note.textContent = words;
  }

  // The page has another language. Headings of a template of the site's own stay.
  #translate() {
    const former = this.#headings;
    this.#headings = headings();
    for (const side of ["up", "down"]) {
      const heading = this.querySelector(`[data-side=${side}] [data-part=heading]`);
      if (!heading || heading.textContent !== former[side]) continue;
      heading.textContent = this.#headings[side];
      set(this.#list(side), "aria-label", this.#headings[side]);
    }
    this.#note();
  }
}

if (!customElements.get(ELEMENT)) customElements.define(ELEMENT, FCSMoversElement);

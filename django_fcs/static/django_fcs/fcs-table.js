// The watch list, <fcs-table>: rows that are live, sorted by a click, filtered by typing. See
// docs/family.md. A module: fcs-elements.js imports it with the first such element. It takes over
// the table that the server has written, and fills the rows that the page adds.
/** @type {{ kit: any }} */
const { kit } = Object.getPrototypeOf(FCSTickerElement);
const { Live, NamedView, node, part, field, numbers, present, set, text, writeText } = kit;
const MOST = 500;
const ROW = "tr[data-symbol]";
const ELEMENT = "fcs-table";
const FILTER = "filter";
const STEP_MS = 1000;
const TICK_MS = 100;
const CHANGE_MAX = 9; // characters of a change for which its column has room
const STEP_MAX = 5; // characters of a step, for which the cell keeps its room
const [UP, DOWN] = ["ascending", "descending"];
const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const listOf = (row) => row.closest(ELEMENT);
/** @returns {HTMLElement | null} */
const headOf = (table, column) =>
  table.querySelector(`thead th[data-column="${CSS.escape(column)}"]`);

// Steps: what the last price has added, shown for a second after it. One timer for all of them.
/** @type {Map<Element, number>} */
const steps = new Map(); // by age, with the time of each
/** @type {number | undefined} */
let ending;
const showStep = (cell, words) => {
  steps.delete(cell);
  set(cell, "data-step", words);
  if (words) steps.set(cell, performance.now());
  ending ??= setTimeout(endSteps, TICK_MS);
};
const endSteps = () => {
  const limit = performance.now() - STEP_MS;
  for (const [cell, since] of steps) if (since <= limit) showStep(cell, "");
  ending = steps.size ? setTimeout(endSteps, TICK_MS) : undefined;
};

// Groups whose market may have opened or closed: written once for all rows that say so.
const groups = {
  waiting: new Set(),
  add(body) {
    if (!groups.waiting.size) queueMicrotask(groups.write);
    groups.waiting.add(body);
  },
  write() {
    for (const body of groups.waiting) {
      const rows = [...body?.querySelectorAll(ROW) ?? []];
      const states = rows.map((row) => row.dataset.state);
      const isClosed = states.length && states.every((state) => state === "closed");
      set(body, "data-state", isClosed && "closed");
      const market = body?.querySelector("[data-part=market]:not([data-always])");
      const isOpen = !states.includes("closed") && states.includes("live");
      const words = isClosed ? said.get(rows[0]) : isOpen ? text("open") : "";
      // What the server has written counts until a price has come.
      if (market && (words || !states.includes("waiting"))) writeText(market, words ?? "");
    }
    groups.waiting.clear();
  },
};
/** @type {WeakMap<Element, string>} */
const said = new WeakMap();

const cellOf = (table, column) => {
  const rank = headOf(table, column)?.dataset.rank;
  const isPlain = !/^(sparkline|updated)$/.test(column);
  const cell = node("td", { [isPlain ? "field" : "column"]: column, ...(rank && { rank }) });
  cell.role = "cell";
  cell.translate = !isPlain;
  if (column === "updated") cell.append(field(column));
  if (column === "sparkline") {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    set(line, "viewBox", "0 0 72 20");
    set(line, "aria-hidden", "true");
    set(line, "data-part", column);
    cell.append(line);
  }
  return cell;
};

class RowView extends NamedView {
  static home = (host) => listOf(host)?.isConnected;
  #close = NaN; #words;

  get pattern() { return listOf(this.host)?.getAttribute("href") || undefined; }

  build() {
    const name = node("th", {}, part("name", this.link(), field("name"), part("status")));
    Object.assign(name, { scope: "row", role: "rowheader" });
    this.host.role = "row";
    const table = listOf(this.host);
    const columns = table?.getAttribute("columns")?.match(/\w+/g) ?? [];
    return [name, ...columns.map((column) => cellOf(table, column))];
  }

  begin(isUpgrade) {
    super.begin(isUpgrade);
    if (!isUpgrade) this.#close = NaN;
    set(this.find("[data-step]"), "data-step"); // of a copy
  }

  paint(message) {
    super.paint(message);
    const { length } = this.find("[data-field=change]")?.textContent ?? "";
    if (length > CHANGE_MAX) set(listOf(this.host), "data-figures", "wide");
    const { c } = message.prices;
    if (c === this.#close) return;
    const cell = this.find("[data-field=close]");
    // As with the tint, there is none out of view; one that is shown follows each price.
    if (this.host.dataset.flash || cell?.dataset.step) showStep(cell, this.#step(c));
    this.#close = c;
  }

  // In pips if the symbol has them. What has no room is left out: half a figure is a wrong one.
  #step(close) {
    const distance = this.figures.spread(close, this.#close);
    const figure = distance.replace(text("{n} pips", "").trim(), "").trim();
    const words = figure.startsWith("−") ? figure : `+${figure}`;
    return reduced.matches || words.length > STEP_MAX || !/[1-9]/.test(words) ? "" : words;
  }

  // A live row says nothing, and one without a price has dashes. The head of a group says when
  // its market opens.
  status(words) {
    const { state } = this.host.dataset;
    const isQuiet = words === text("live") || words === text("waiting");
    super.status(isQuiet ? "" : state === "closed" ? text("closed") : words);
    if (this.#words === `${state} ${words}`) return;
    this.#words = `${state} ${words}`;
    said.set(this.host, words);
    groups.add(this.host.closest("tbody"));
  }
}

const collator = new Intl.Collator(undefined, { numeric: true });
const UNITS = "KMBT";

// What the page has hidden by itself stays hidden. A copy of the page knows it, too.
const hide = (node, isOut) => {
  const hidden = node.getAttribute("hidden");
  if (isOut ? hidden === null : hidden === FILTER) set(node, "hidden", isOut && FILTER);
};

class FCSTableElement extends HTMLElement {
  /** @type {Set<Element>} */ #rows = new Set();
  /** @type {{ column: string, order: string } | null} */ #sorted = null;
  #hasWarned = false;
  /** What the rows showed when they were sorted, by room. */ #keys = new Map();
  /** @type {WeakMap<Element, HTMLButtonElement>} */ #buttons = new WeakMap();
  /** @type {HTMLInputElement} */ #input = document.createElement("input");
  /** @type {HTMLElement | null} */ #focused = null;
  #page = { paint() {}, settle: () => this.#translate() };
  #observer = new MutationObserver((changes) => {
    // What happens within a row is the row's.
    const isOurs = ({ type, target }) =>
      type === "attributes" || !(target instanceof Element && target.closest(ROW));
    if (changes.some(isOurs)) this.#adopt();
  });

  connectedCallback() {
    this.#observer.observe(this, {
      subtree: true, childList: true,
      attributeFilter: ["data-symbol", "data-timeframe", "data-token", "aria-sort", "hidden"],
    });
    for (const type of ["click", "input", "focusin", "focusout"]) this.addEventListener(type, this);
    present.add(this.#page);
    this.#adopt();
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    present.delete(this.#page);
    this.#adopt();
  }

  /** @param {Event} event */
  handleEvent({ type, target }) {
    if (!(target instanceof Element)) return;
    // Later: a node that a morph takes away loses the focus, too.
    if (/focus/.test(type)) setTimeout(() => { this.#focused = this.querySelector(":focus"); });
    if (type === "input" && target === this.#input) this.#filter();
    const head = type === "click" && target.closest("button")?.closest("thead th");
    if (head instanceof HTMLElement) this.#sortBy(head);
  }

  #adopt() {
    const found = [...this.querySelectorAll(ROW)];
    const isHere = (row) => this.isConnected && this.contains(row) && row.matches(ROW);
    // A row that is live stays so, even if others have come before it.
    const all = new Set([...this.#rows, ...found].filter(isHere));
    const rows = new Set([...all].slice(0, MOST));
    if (found.length > MOST && !this.#hasWarned) {
      console.warn(`fcs-table.js: only the first ${MOST} rows are live`);
      this.#hasWarned = true;
    }
    // A row that has left may be on the page still, in another table.
    for (const row of new Set([...this.#rows, ...rows])) {
      if (rows.has(row) && !row.hasAttribute("data-timeframe")) {
        set(row, "data-timeframe", this.getAttribute("timeframe"));
      }
      Live.of(row, RowView).schedule();
    }
    this.#rows = rows;
    if (!this.isConnected) return;
    this.#furnish();
    this.#filter();
    const { column, order } = this.#sorted ?? {};
    const head = column && headOf(this, column);
    if (head && head.getAttribute("aria-sort") !== order) this.#sort();
  }

  // A morph may have taken away what the script has made: it comes back, with the focus.
  #furnish() {
    for (const head of this.querySelectorAll("thead th:not([data-column=sparkline])")) {
      if (head.querySelector("button")) continue;
      const button = this.#buttons.get(head) ?? node("button");
      this.#buttons.set(head, button);
      button.type = "button";
      button.replaceChildren(...head.childNodes);
      set(button, "aria-label", head.getAttribute("aria-label"));
      head.append(button);
    }
    const tools = this.querySelector("[data-part=tools]");
    const input = tools?.querySelector("input");
    if (input) {
      this.#input = input; // of a copy, such as Turbo makes
    } else if (tools) {
      this.#input.type = "search";
      const answer = part("nothing");
      answer.role = "status";
      tools.replaceChildren(this.#input, answer);
      this.#name();
    }
    if (document.activeElement !== document.body) return;
    this.#focused?.focus({ preventScroll: true });
    this.#focused = this.querySelector(":focus"); // what has gone for good gets it no more
  }

  #name() {
    const words = text("Filter");
    Object.assign(this.#input, { placeholder: words, ariaLabel: words });
  }

  #translate() {
    this.#name();
    this.#filter();
    for (const body of this.querySelectorAll("tbody")) groups.add(body);
  }

  #filter() {
    const typed = this.#input.value.trim();
    const query = typed.toLocaleLowerCase();
    let isEmpty = Boolean(query);
    for (const body of this.querySelectorAll("tbody")) {
      let hits = 0;
      for (const row of body.querySelectorAll(ROW)) {
        const name = row.querySelectorAll("[data-field=symbol], [data-field=name]");
        const words = [row.getAttribute("data-symbol"), ...[...name].map((one) => one.textContent)];
        const isHit = words.join(" ").toLocaleLowerCase().includes(query);
        hide(row, !isHit);
        hits += Number(isHit);
      }
      hide(body, Boolean(query) && !hits);
      isEmpty &&= !hits;
    }
    const answer = this.querySelector("[data-part=nothing]");
    const words = isEmpty ? text("Nothing called {n} here", typed) : "";
    if (answer && answer.textContent !== words) answer.textContent = words;
  }

  // The first click shows what is largest, or the first of names.
  #sortBy(head) {
    const { column = "" } = head.dataset;
    const orders = /^(symbol|name)$/.test(column) ? [UP, DOWN] : [DOWN, UP];
    const order = head.getAttribute("aria-sort") === orders[0] ? orders[1] : orders[0];
    this.#sorted = { column, order };
    this.#keys.clear();
    this.#sort();
  }

  #sort() {
    const { column, order } = this.#sorted ?? { column: "" };
    const sorted = headOf(this, column);
    for (const head of this.querySelectorAll("thead th")) {
      set(head, "aria-sort", head === sorted && order);
    }
    for (const body of this.querySelectorAll("tbody")) {
      const rows = [...body.querySelectorAll(ROW)];
      const sign = order === UP ? 1 : -1;
      const key = (row) => this.#key(row, column);
      rows.sort((one, other) => compare(key(one), key(other), sign));
      body.append(...rows);
    }
  }

  // A morph does not change the order that the visitor has chosen.
  #key(row, column) {
    const { symbol, timeframe } = row.dataset;
    const room = `${symbol} ${timeframe}`;
    if (!this.#keys.has(room)) this.#keys.set(room, keyOf(row, column));
    return this.#keys.get(room);
  }
}

// What a row shows in a column: a number, a text, or NaN for nothing.
const keyOf = (row, column) => {
  const shown = row.querySelector(`[data-field="${column}"]`);
  const words = shown?.textContent ?? "";
  if (/^(symbol|name)$/.test(column)) return words;
  if (shown?.dateTime) return Date.parse(shown.dateTime);
  const decimal = row.dataset.decimal || numbers().decimal;
  const [whole, places = ""] = words.replace("−", "-").split(decimal);
  const unit = UNITS.indexOf(words.at(-1) || "-") + 1;
  const figures = `${whole.replace(/[^\d-]/g, "")}.${places.replace(/\D/g, "")}`;
  return /\d/.test(words) ? Number(figures) * 1000 ** unit : NaN;
};

// What is not known is last, in both directions.
const compare = (one, other, sign) => {
  if (typeof one === "string") return sign * collator.compare(one, other);
  return Number(Number.isNaN(one)) - Number(Number.isNaN(other)) || sign * (one - other) || 0;
};

if (!customElements.get(ELEMENT)) customElements.define(ELEMENT, FCSTableElement);

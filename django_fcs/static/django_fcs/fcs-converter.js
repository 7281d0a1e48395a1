// The element <fcs-converter>, which keeps the amounts that the server has converted up to date:
// see docs/family.md. A module: fcs-elements.js imports it with the first such element. It reads
// and converts as django_fcs/widgets/amounts.py and django_fcs/prices/crosses.py do.
const { Live, View, set, text, writeText } =
  /** @type {any} */ (Object.getPrototypeOf(FCSTickerElement)).kit;

const ELEMENT = "fcs-converter";
const DOLLAR = "USD";
const AMOUNT_MAX = 1e15;
const LENGTH_MAX = 32;
const SAMPLE = 1234.5;
const ROOM = ["data-symbol", "data-timeframe", "data-token"];
// From the best to the worst.
const STATES = ["live", "closed", "stale", "offline", "waiting"];

const AROUND = /^[ \t\r\n\xa0\u2009\u202f\u200e\u200f]+|[ \t\r\n\xa0\u2009\u202f\u200e\u200f]+$/g;
const GAP = /([0-9])[ '\u2019\xa0\u2009\u202f](?=[0-9]{3}(?![0-9]))/g;
const NUMBER = /^(?=[.,]?[0-9])([0-9.,]*?)(?:([.,])([0-9]*))?$/;
const GROUPED = /^[1-9][0-9]{0,2}(?:[.,][0-9]{2,3})*[.,][0-9]{3}$/;
const marksIn = (figures) => [...new Set(figures.match(/[.,]/g))];

// Languages without a separator of thousands, such as Chinese, are typed with the other mark.
const OTHER = { ".": ",", ",": "." };

/**
 * Read an amount as the page writes numbers; null if it is none.
 * @param {string} typed
 * @param {{ decimal: string, thousand: string }} numbers
 */
export const parse = (typed, { decimal, thousand }) => {
  const figures = typed.replace(AROUND, "")
    .replace(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, (one) => String(one.charCodeAt(0) & 15))
    .replaceAll("\uff0e", ".").replaceAll("\uff0c", ",")
    .replaceAll("\u066b", () => decimal).replaceAll("\u066c", () => thousand)
    .replace(GAP, "$1");
  const match = typed.length <= LENGTH_MAX ? NUMBER.exec(figures) : null;
  if (!match) return null;
  let [, whole, mark = "", decimals = ""] = match;
  const isThousand = whole.includes(mark) || (!marksIn(whole).length
    && mark !== decimal && mark === (thousand || OTHER[decimal])
    && GROUPED.test(whole + mark + decimals));
  if (mark && isThousand) [whole, mark, decimals] = [whole + mark + decimals, "", ""];
  const [one, ...others] = marksIn(whole);
  if (one && (others.length || one === mark || !GROUPED.test(whole))) return null;
  const value = Number(`${whole.replace(/[.,]/g, "")}.${decimals}0`);
  return value < AMOUNT_MAX ? value : null;
};

const isInDollars = (leg) => leg.dataset.pair.endsWith(`/${DOLLAR}`);
const priceOf = (leg) => (leg ? Number(leg.dataset.price) : 1);
/** An amount of one currency in another; a leg is null for the dollar itself. */
const convert = (amount, from, to) => {
  const dollars = !from ? amount
    : isInDollars(from) ? amount * priceOf(from) : amount / priceOf(from);
  return !to ? dollars : isInDollars(to) ? dollars / priceOf(to) : dollars * priceOf(to);
};

/** What the legs have heard of their pairs, which a morph takes back. @type {WeakMap<any, any>} */
const heard = new WeakMap();
const heardOf = (leg) => {
  const { symbol, values } = heard.get(leg) ?? {};
  return symbol === leg.dataset.symbol ? values : {}; // a morph may have made it another pair
};
const note = (leg, name, value) => {
  const values = { ...heardOf(leg), [name]: value };
  heard.set(leg, { symbol: leg.dataset.symbol, values });
  set(leg, name, value);
};
const remember = (leg) => {
  for (const [name, value] of Object.entries(heardOf(leg))) set(leg, name, value);
};
/** @param {any} leg @param {any} message */
const notePrice = (leg, { symbol, prices: { c = NaN } }) => {
  if (symbol === leg.dataset.symbol) note(leg, "data-price", c > 0 && c < 1e21 ? String(c) : "");
};
const givenOf = (field) =>
  field.defaultValue ?? [...field.options].find((option) => option.defaultSelected)?.value;
const timeIn = (leg) => leg.querySelector("time");
const rankOf = ({ dataset: { price, state } }) => price ? STATES.indexOf(state) : STATES.length;
const delayOf = (leg) => Number(leg.dataset.delay ?? 0);
const worse = (one, other) => rankOf(other) - rankOf(one) || delayOf(other) - delayOf(one)
  || (timeIn(one)?.dateTime < timeIn(other)?.dateTime ? -1 : 1);

// LegView: a pair that nobody sees. Its host has the price and the words.
class LegView extends View {
  static home = (host) => host.closest(ELEMENT)?.isConnected;

  paint(message) {
    super.paint(message);
    notePrice(this.host, message);
  }

  status(words) { note(this.host, "data-said", words); }
}

class FCSConverterElement extends HTMLElement {
  #sheet = new View(this);
  /** @type {Map<any, any>} */ #legs = new Map();
  #isAsked = false;
  /** What the visitor has typed and chosen. @type {any[]} */ #typed = [];
  #observer = new MutationObserver((changes) => this.#heed(changes));

  constructor() {
    super();
    this.addEventListener("input", () => {
      this.#note();
      this.#render();
    });
    this.addEventListener("submit", (event) => event.preventDefault());
    this.addEventListener("reset", () => {
      this.#typed = [];
      this.#ask();
    });
    // Before the leg is painted, which waits while nobody sees it.
    this.addEventListener("fcs:price", ({ target, detail }) => {
      if (this.#legs.has(target)) notePrice(target, detail);
    });
  }

  connectedCallback() {
    this.#observer.observe(this, {
      subtree: true, childList: true, attributeFilter: [
        "data-price", "data-said", "data-state", "data-delay", "datetime", "value", "selected",
        "hidden", ...ROOM,
      ],
    });
    this.#hold();
    this.#ask();
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    this.#hold();
  }

  // Another script, such as a morph, may have replaced the legs.
  #hold() {
    for (const leg of this.querySelectorAll("[data-part=leg]")) {
      if (!this.#legs.has(leg)) this.#legs.set(leg, Live.of(leg, LegView));
    }
    for (const [leg, live] of this.#legs) {
      live.schedule();
      if (!this.contains(leg)) this.#legs.delete(leg);
    }
  }

  #heed(changes) {
    if (!changes.length) return;
    const isOther = ({ target }) => !target.closest?.("[data-part=leg]");
    const isOfLegs = ({ type, attributeName }) => type === "childList"
      || ROOM.includes(attributeName);
    if (changes.some(isOfLegs)) this.#hold();
    [...this.#legs.keys()].forEach(remember);
    if (changes.some(isOther)) this.#keep();
    // What a morph has written. A translator changes no attributes.
    if (changes.some((change) => change.type === "attributes" && isOther(change))) {
      this.#sheet.words.forget();
    }
    this.#ask();
  }

  #note() {
    const fields = /** @type {NodeListOf<any>} */ (this.querySelectorAll("input, select"));
    this.#typed = [...fields]
      .map((field) => ({ field, value: field.value, given: givenOf(field) }));
  }

  // A morph gives a field again what the server had given. What is new there counts.
  #keep() {
    for (const { field, value, given } of this.#typed) {
      if (field.value !== value && givenOf(field) === given) field.value = value;
    }
  }

  #ask() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      if (this.isConnected) this.#render();
    });
  }

  #render() {
    const field = this.querySelector("input");
    const select = this.querySelector("select");
    if (!field || !select) return;
    const changes = this.#observer.takeRecords();
    const sheet = this.#sheet;
    sheet.begin(true);
    const amount = parse(field.value, { decimal: ".", thousand: ",", ...this.dataset });
    const sample = sheet.figures.number(SAMPLE, 2);
    set(field, "aria-invalid", amount === null && "true");
    const message = amount === null ? text("Enter an amount such as {n}", sample) : "";
    sheet.words.say(this.querySelector("[data-part=message]"), message);
    for (const row of this.querySelectorAll("[data-part=result]")) {
      this.#show(row, amount, select.value);
    }
    this.#observer.takeRecords();
    this.#heed(changes);
  }

  #show(row, amount, base) {
    const { code, digits } = row.dataset;
    const [from, to] = [base, code].map((one) => this.#leg(one));
    const legs = [from, to].filter(Boolean);
    const isKnown = amount !== null && legs.every((leg) => leg.dataset.price);
    const converted = isKnown ? convert(amount, from, to) : NaN;
    writeText(row.querySelector("output"), this.#sheet.figures.number(converted, Number(digits)));
    row.hidden = code === base;
    if (legs.length) this.#say(row, legs.sort(worse)[0]);
  }

  #leg(code) {
    return [...this.#legs.keys()].find(({ dataset: { pair } }) =>
      code !== DOLLAR && pair.split("/").includes(code));
  }

  // Until a leg has heard of its state, the time that the server wrote stays.
  #say(row, leg) {
    const { pair, price, state, said } = leg.dataset;
    const [status, time] = ["[data-part=status]", "time"].map((one) => row.querySelector(one));
    if (!price) this.#sheet.words.say(status, text("No data for {n}", pair));
    else if (said) this.#sheet.words.say(status, said === text("live") ? "" : said);
    set(row, "data-state", price ? state : "waiting");
    const known = price && timeIn(leg);
    if (known) {
      set(time, "datetime", known.dateTime);
      writeText(time, known.textContent);
    }
    time.hidden = !known || (said && state !== "offline");
  }
}

if (!customElements.get(ELEMENT)) customElements.define(ELEMENT, FCSConverterElement);

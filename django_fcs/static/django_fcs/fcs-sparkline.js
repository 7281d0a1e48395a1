// Continues the small lines that the server has drawn, as prices come: see docs/widgets.md.
// A module: fcs-elements.js imports it when the first such line is on the page. It draws what
// django_fcs/widgets/sparkline.py draws.
const LINE = "svg[data-part=sparkline]";
const HOLE = "-";
const MINUTES = 60;
const TOO_LARGE = 1e21;
const PAUSE_MS = 1000; // between two drawings of a line

// The box of the drawing, in tenths: whole numbers, as both languages round them alike.
const [LEFT, STEP, TOP, MIDDLE, DEPTH] = [20, 11, 30, 100, 140];
const [ABOVE, BELOW] = [1, 19]; // of a level that lies above or below all prices

const known = (price) => typeof price === "number" && Math.abs(price) < TOO_LARGE ? price : null;

const scaleOf = (prices) => {
  const present = prices.filter((price) => price !== null);
  const [high, low] = [Math.max(...present), Math.min(...present)];
  return (price) => price > high ? ABOVE : price < low ? BELOW
    : (high === low ? MIDDLE : Math.floor(TOP + (high - price) / (high - low) * DEPTH + 0.5)) / 10;
};

/**
 * Return the paths and the last point of a line, empty without a price.
 *
 * `recent` are the prices of the 60 minutes before the running one, the oldest first; what is no
 * price is a hole. The base is at `level`, or where the line begins.
 * @param {unknown[]} recent
 * @param {unknown} last
 * @param {unknown} [level]
 */
export const draw = (recent, last, level) => {
  const prices = [...recent, last].map(known);
  const yOf = scaleOf(prices);
  const points = prices.flatMap((price, place) => price === null ? []
    : [{ place, x: (LEFT + STEP * place) / 10, y: yOf(price) }]);
  let line = "";
  for (const [index, { place, x, y }] of points.entries()) {
    const isFirst = points[index - 1]?.place !== place - 1;
    const isAlone = isFirst && points[index + 1]?.place !== place + 1;
    line += `${isFirst ? "M" : "L"}${x} ${y}${isAlone ? "h0" : ""}`;
  }
  const end = points.at(-1) ?? null;
  const height = known(level) === null ? points[0]?.y : yOf(level);
  const base = end ? `M${LEFT / 10} ${height}H${(LEFT + STEP * MINUTES) / 10}` : "";
  return { line, base, end };
};

// Line: the prices of one SVG. The page may draw it again, with other prices: those count.
class Line {
  #svg; #recent; #minute;
  /** @type {number | null} */ #last = null;
  /** @type {number | null} */ #level = null; // the previous close, for a line that shows it

  constructor(svg, room) {
    this.#svg = svg;
    this.room = room;
    const words = (svg.dataset.recent ?? "").match(/\S+/g) ?? [];
    const prices = words.slice(-MINUTES).map((word) => known(Number(word)));
    this.#recent = [...Array(MINUTES - prices.length).fill(null), ...prices];
    this.#minute = Number(svg.dataset.minute ?? NaN);
    this.text = svg.dataset.recent;
  }

  get isCurrent() { return this.#svg.dataset.recent === this.text; }

  /** Forget the prices: the element shows another room. */
  begin(room) {
    this.room = room;
    this.#minute = NaN;
    this.#last = this.#level = null;
    this.#recent.fill(null);
  }

  // A price from before counts as the newest one, unless a clock was set back by an hour.
  note(price, minute, change) {
    const passed = minute - this.#minute;
    if (passed > 0) this.#shift(passed);
    else if (!(passed > -MINUTES)) this.#recent.fill(null);
    if (!(passed <= 0 && passed > -MINUTES)) this.#minute = minute;
    this.#last = price;
    if (this.#svg.dataset.base) this.#level = known(price - change);
  }

  draw() {
    const { line, base, end } = draw(this.#recent, this.#last, this.#level);
    this.#part("path", "base").setAttribute("d", base);
    this.#part("path", "line").setAttribute("d", line);
    const last = this.#part("circle", "last");
    if (end) {
      const place = { cx: end.x, cy: end.y, r: 1.75 };
      for (const [name, value] of Object.entries(place)) last.setAttribute(name, String(value));
    } else {
      last.remove();
    }
    this.text = this.#recent.map((price) => price ?? HOLE).join(" ");
    Object.assign(this.#svg.dataset, { recent: this.text, minute: this.#minute });
  }

  #shift(minutes) {
    const passed = [this.#last, ...Array(Math.min(minutes - 1, MINUTES)).fill(null)];
    this.#recent = [...this.#recent, ...passed].slice(-MINUTES);
  }

  #part(tag, name) {
    const found = this.#svg.querySelector(`[data-part=${name}]`);
    if (found) return found;
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    made.dataset.part = name;
    this.#svg.append(made);
    return made;
  }
}

// FCSSparklineElement: a line alone, with its price in words.
/** @type {any} */
const { FCSElement, View, inView, node, text } = Object.getPrototypeOf(FCSTickerElement).kit;

const NONE = {};
class SparklineView extends View {
  /** @type {any} */ #prices = null;

  build() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const given = { viewBox: "0 0 72 20", width: 72, height: 20, "aria-hidden": true };
    for (const [name, value] of Object.entries(given)) svg.setAttribute(name, String(value));
    Object.assign(svg.dataset, { part: "sparkline", base: "previous-close" });
    const close = node("span", { field: "close" });
    close.hidden = true;
    return [svg, close];
  }

  begin(isUpgrade) {
    super.begin(isUpgrade);
    if (this.#prices === NONE) this.status(text("waiting"));
  }

  dress() {
    this.#prices = NONE;
    this.words.label(this.host, "role", "img");
  }

  paint(message) {
    super.paint(message);
    this.#prices = message.prices;
  }

  // Until the first price comes, the server's words count.
  status(words) {
    if (!this.#prices) return;
    const sentence = this.sentence(this.#prices, words);
    for (const name of ["aria-label", "title"]) this.words.label(this.host, name, sentence);
  }
}

/** @type {WeakMap<Element, Line>} */
const lines = new WeakMap();
const lineOf = (svg, room) => {
  const found = lines.get(svg);
  const line = found?.isCurrent ? found : new Line(svg, room);
  lines.set(svg, line);
  return line;
};

// All lines are drawn in one frame, and none while the page is hidden. What nobody sees waits until
// it is in view or printed.
/** @type {Map<Line, Element>} */
const due = new Map(); // with the element of each
const isSeen = ([line, host]) => !host.isConnected || !line.isCurrent || inView.has(host);
const drawAll = (lines) => {
  for (const [line] of lines) {
    due.delete(line);
    if (line.isCurrent) line.draw();
  }
};
let isWaiting = false;
const wait = () => {
  isWaiting = true;
  const draw = () => {
    drawAll([...due].filter(isSeen));
    isWaiting = false;
    if (due.size) wait();
  };
  setTimeout(() => {
    // A frame costs more than the lines in it.
    if ([...due].some(isSeen)) requestAnimationFrame(draw);
    else draw();
  }, PAUSE_MS);
};
const drawSoon = (line, host) => {
  due.set(line, host);
  if (!isWaiting) wait();
};
addEventListener("beforeprint", () => drawAll([...due]));

const linesIn = (host, { symbol, timeframe }) => {
  const room = `${symbol}_${timeframe}`;
  return [...host.querySelectorAll(LINE)].map((svg) => {
    const line = lineOf(svg, room);
    if (line.room !== room) {
      line.begin(room);
      line.draw();
    }
    return line;
  });
};

class FCSSparklineElement extends FCSElement {
  static View = SparklineView;
}
if (!customElements.get("fcs-sparkline")) FCSSparklineElement.define("fcs-sparkline");

// The server has drawn them for the room that their element has now.
/** @type {NodeListOf<any>} */
const hosts = document.querySelectorAll("[symbol]");
for (const host of hosts) linesIn(host, host);

document.addEventListener("fcs:state", ({ target, detail }) => {
  if (target instanceof Element) linesIn(target, detail);
});
document.addEventListener("fcs:price", ({ target, detail }) => {
  const { prices, at } = detail;
  const price = known(prices.c);
  const seconds = [at, prices.update].find(Number.isFinite);
  if (!(target instanceof Element) || target instanceof FCSPriceElement) return; // without lines
  for (const line of linesIn(target, detail)) {
    if (price === null || seconds === undefined) continue;
    line.note(price, Math.floor(seconds / 60), prices.ch);
    drawSoon(line, target);
  }
});

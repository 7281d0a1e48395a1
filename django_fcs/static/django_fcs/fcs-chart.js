// The element <fcs-chart>: it keeps the price above the chart up to date, and asks for the drawing
// when it comes near the window. See docs/charts.md. A module: fcs-elements.js imports it with the
// first chart, and fcs-chart-plot.js with the first one that is near.
/** @type {{ kit: any }} */
const { kit } = Object.getPrototypeOf(FCSTickerElement);
const { FCSElement, Live, View, node, part, field, set, writeText } = kit;
const ELEMENT = "fcs-chart";
const NEAR = "data-near";
const VISITOR = "data-visitor";
const OPTIONS = ["type", "volume", "lines", "zone", "timeframes", "range", "height"];

// What a page has not written, the element writes: the same parts as the server's.
const area = (name, ...children) => node("div", { part: name }, ...children);
const build = () => [
  area("head",
    node("div", {},
      area("name", field("symbol"), " ", field("name")),
      area("quote",
        part("price", field("close")), " ",
        part("change", node("span", { day: "change" }), " ",
          node("span", { day: "change_percent" })))),
    area("side", part("status"))),
  area("tools"),
  area("readout"),
  area("plot"),
  area("foot", part("note")),
];

class ChartView extends View {
  #symbol;
  /** The drawing, once its module is here. */
  get plot() { return this.host.plot; }
  get flashing() { return "close"; }
  build() { return build(); }
  // The read-out belongs to the drawing.
  fields() { return this.host.querySelectorAll("[data-part=head] [data-field]"); }

  // What the server knows of a symbol stays when the timeframe is another one.
  begin(isUpgrade) {
    super.begin(isUpgrade || this.#symbol === this.symbol);
    this.#symbol = this.symbol;
    this.plot?.begin(this);
  }

  // What the server wrote of another instrument is not true of this one.
  clear() {
    super.clear();
    for (const name of ["previous", "base", "hours"]) this.mark(name, null);
    for (const shown of this.host.querySelectorAll("[data-day]")) shown.textContent = "";
    set(this.find("[data-part=quote]"), "data-direction", null);
  }

  mend() {
    super.mend();
    this.plot?.mend();
  }

  paint(message) {
    super.paint(message);
    this.#day(message.prices);
    this.plot?.paint();
  }

  // What the server has printed counts until the page is connected.
  status(words) {
    super.status(words);
    this.mark("from", null);
    set(this.find("[data-part=note]"), "data-words", words);
    this.plot?.paint();
  }

  // The change of the day, whatever the timeframe; that of the room if the day is not known.
  #day({ c, ch, chp }) {
    const base = Number(this.host.getAttribute("data-base"));
    const change = base ? c - base : ch;
    const percent = base ? change / base * 100 : chp;
    if (!Number.isFinite(change)) return;
    const direction = change > 0 ? "up" : change < 0 ? "down" : null;
    const shown = (name) => this.find(`[data-day=${name}]`) ?? document.createElement("i");
    writeText(shown("change"), this.figures.signed(change));
    writeText(shown("change_percent"), this.figures.percent(percent));
    this.mark("direction", direction);
    set(this.find("[data-part=quote]"), "data-direction", direction);
  }
}

/** @type {any} */
const nearness = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    nearness.unobserve(target);
    target.setAttribute(NEAR, "1"); // so that fcs-elements.js imports the drawing
  }
}, { rootMargin: "100%" });

class FCSChartElement extends FCSElement {
  static View = ChartView;
  static observedAttributes = [...FCSElement.observedAttributes, NEAR, VISITOR, ...OPTIONS];
  /** The drawing; set by fcs-chart-plot.js. @type {any} */ static Plot = null;
  /** What a visitor does; set by fcs-chart-visitor.js. @type {any} */ static Visitor = null;
  /** @type {any} */ plot = null;

  connectedCallback() {
    super.connectedCallback();
    nearness.observe(this);
    this.furnish();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    nearness.unobserve(this);
    this.plot?.close();
    this.plot = null;
  }

  attributeChangedCallback(name) {
    super.attributeChangedCallback();
    this.furnish();
    if (OPTIONS.includes(name)) this.plot?.options();
  }

  /** Begin what the element asks for, once its module is here. */
  furnish() {
    const { Plot, Visitor } = FCSChartElement;
    const isDue = this.isConnected && this.hasAttribute(NEAR);
    if (Plot && isDue) this.plot ??= new Plot(this, Live.of(this, ChartView));
    if (Visitor && this.hasAttribute(VISITOR)) this.plot?.welcome(Visitor);
  }
}
if (!customElements.get(ELEMENT)) FCSChartElement.define(ELEMENT);

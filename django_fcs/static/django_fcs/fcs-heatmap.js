// Keeps the tiles of <fcs-heatmap> up to date: see docs/family.md. A module: fcs-elements.js
// imports it with the first heat map.
const { Live, NamedView, part, field, set, text } =
  /** @type {any} */ (Object.getPrototypeOf(FCSTickerElement)).kit;

const TILE = "[data-symbol]";
const STEPS = [0.05, 0.75, 1.75]; // the changes in percent at which a level begins
const ROOM = [
  "data-symbol", "data-timeframe", "data-token", "data-href",
  "data-decimal", "data-thousand", "data-grouping",
];

const ELEMENT = "fcs-heatmap";

const levelOf = (percent) => {
  if (!Number.isFinite(percent)) return null;
  return STEPS.filter((step) => Math.abs(percent) >= step).length * (percent < 0 ? -1 : 1);
};

class TileView extends NamedView {
  static home = (host) => host.closest(ELEMENT)?.isConnected;
  get flashing() { return ""; }
  build() { return [this.link(), " ", part("move", part("status"), field("change_percent"))]; }

  clear() {
    super.clear();
    this.mark("level", null);
  }

  /** @param {{ prices: { chp?: number } }} message */
  paint(message) {
    const level = levelOf(message.prices.chp);
    this.mark("level", level === null ? null : level + 0); // 0, never -0
    super.paint(message);
  }

  status(words) {
    this.words.say(this.find("[data-part=status]"), words === text("live") ? "" : words);
    const name = this.find("[data-field=name]")?.textContent
      || this.find("[data-field=symbol]")?.textContent;
    set(this.host, "title", `${name ?? this.symbol}, ${words}`);
  }
}

class FCSHeatmapElement extends HTMLElement {
  /** @type {Set<Element>} */ #tiles = new Set();
  #changes = new MutationObserver(() => this.#sync());

  connectedCallback() {
    this.#changes.observe(this, { subtree: true, childList: true, attributeFilter: ROOM });
    this.#sync();
  }

  disconnectedCallback() {
    this.#changes.disconnect();
    this.#sync();
  }

  // Those that have left the map leave their rooms, unless they are in another one.
  #sync() {
    const found = new Set(this.isConnected ? this.querySelectorAll(TILE) : []);
    for (const tile of new Set([...found, ...this.#tiles])) {
      const { timeframe } = this.dataset;
      if (timeframe && found.has(tile) && !tile.hasAttribute("data-timeframe")) {
        tile.setAttribute("data-timeframe", timeframe);
      }
      Live.of(tile, TileView).schedule();
    }
    this.#tiles = found;
  }
}

if (!customElements.get(ELEMENT)) customElements.define(ELEMENT, FCSHeatmapElement);

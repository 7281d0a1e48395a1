// Says price and state to screen readers, where a page asks for it: see docs/widgets.md.
// A module: fcs-elements.js imports it with the first element that has the attribute `announce`.
const PAUSE_MS = 30_000;

// Region: what one element says, at most once in a pause, and then the newest.
class Region {
  #host; #sentence = ""; #saidAt = -Infinity;
  /** @type {number | undefined} */ #later;

  constructor(host) { this.#host = host; }

  /** Return the live region; a morph may have removed it. */
  place() {
    const found = this.#host.querySelector("[data-part=announcement]");
    if (found) return found;
    const place = document.createElement("span");
    place.dataset.part = "announcement";
    place.role = "status";
    this.#host.append(place);
    return place;
  }

  say(sentence) {
    this.#sentence = sentence;
    clearTimeout(this.#later);
    const wait = this.#saidAt + PAUSE_MS - performance.now();
    if (wait > 0) this.#later = setTimeout(() => this.#write(), wait);
    else this.#write();
  }

  #write() {
    const place = this.place();
    if (!this.#host.hasAttribute("announce") || place.textContent === this.#sentence) return;
    this.#saidAt = performance.now();
    place.textContent = this.#sentence;
  }
}

/** @type {WeakMap<Element, Region>} */
const regions = new WeakMap();
const regionOf = (host) => {
  const region = regions.get(host) ?? new Region(host);
  regions.set(host, region);
  return region;
};

// The class that all elements with a symbol extend.
Object.getPrototypeOf(FCSTickerElement).announce = (host, sentence) => regionOf(host).say(sentence);

// An element that has no price yet has nothing to say. One that has is painted again, because its
// content changes here.
for (const host of document.querySelectorAll("[announce]")) regionOf(host).place();

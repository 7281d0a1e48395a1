// The element <fcs-tape>: a row of prices that moves if it does not fit. See docs/family.md.
// A module: fcs-elements.js imports it with the first such element on the page.
const { present, text } = /** @type {any} */ (Object.getPrototypeOf(FCSTickerElement)).kit;
const SPEED = 40 / 1000; // pixels a millisecond
const reduced = matchMedia("(prefers-reduced-motion: reduce)");

// Loop: the browser moves the row, without a script in each frame. What has left at the start joins
// again at the end, by its place alone: there is one copy, and no element moves in the document.
class Loop {
  #animations; #length;

  /**
   * @param {HTMLElement} list
   * @param {number[]} sizes of its items, along the row
   * @param {number} room that the visitor sees
   * @param {(pixels: number) => string} shift
   */
  constructor(list, sizes, room, shift) {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    // An item joins at the end when all of it has left: until then, the end has a gap.
    this.#length = Math.max(total, room + Math.max(...sizes));
    const options = { duration: this.#length / SPEED, iterations: Infinity };
    const [here, there] = [{ transform: shift(0) }, { transform: shift(this.#length) }];
    this.#animations = [list.animate([here, { transform: shift(-this.#length) }], options)];
    let end = 0;
    for (const [index, size] of sizes.entries()) {
      end += size;
      const offset = Math.min(end / this.#length, 1);
      const steps = [here, { ...here, offset }, { ...there, offset }, there];
      this.#animations.push(list.children[index].animate(steps, options));
    }
  }

  /** How many pixels have left. */
  get place() { return Number(this.#animations[0].currentTime) * SPEED % this.#length; }
  set place(pixels) {
    for (const animation of this.#animations) animation.currentTime = pixels / SPEED;
  }

  stop() {
    const { place } = this;
    for (const animation of this.#animations) animation.pause();
    this.place = place; // the same for all of them
  }

  go(pixels) {
    this.place = pixels;
    for (const animation of this.#animations) animation.play();
  }

  end() { for (const animation of this.#animations) animation.cancel(); }
}

class FCSTapeElement extends HTMLElement {
  static observedAttributes = ["direction", "item-size"];
  /** @type {Loop | null} */ #loop = null;
  /** @type {HTMLElement | null} */ #view = null;
  #place = 0; #key = ""; #isMoving = false;
  /** Why it stands still. @type {Set<string>} */ #reasons = new Set();
  #sizes = new ResizeObserver(() => this.#arrange());
  #children = new MutationObserver(() => this.#look());
  #onReduced = () => this.#arrange();
  #onVisibility = () => this.#because("hidden", document.hidden);
  #signals = new AbortController();
  #page = { paint() {}, settle: () => this.#arrange() };
  #button = document.createElement("button");
  #isFocused = false;

  connectedCallback() {
    present.add(this.#page);
    document.addEventListener("visibilitychange", this.#onVisibility);
    reduced.addEventListener("change", this.#onReduced);
    for (const type of ["click", "focusin", "focusout"]) this.addEventListener(type, this);
    this.#because("hidden", document.hidden);
    // A copy of the page, such as Turbo makes, stands still as the page did.
    if (this.querySelector("[data-part=pause][aria-pressed=true]")) this.#reasons.add("button");
    this.#look();
  }

  disconnectedCallback() {
    present.delete(this.#page);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    reduced.removeEventListener("change", this.#onReduced);
    this.#sizes.disconnect();
    this.#children.disconnect();
    this.#signals.abort();
    this.#view = null;
    for (const reason of ["hover", "focus"]) this.#reasons.delete(reason);
    this.#end();
  }

  attributeChangedCallback() { if (this.isConnected) this.#arrange(); }

  /** @returns {HTMLElement | null} */
  get #list() { return this.#view?.querySelector("[data-part=items]") ?? null; }

  get #isVertical() { return this.getAttribute("direction") === "vertical"; }

  /** @param {Event} event */
  handleEvent({ type, target }) {
    const isButton = target instanceof Element && target.closest("[data-part=pause]");
    if (!isButton) return;
    if (type === "click") this.#press(!this.#reasons.has("button"));
    // Later: a button that a morph takes away loses the focus, too.
    else setTimeout(() => { this.#isFocused = this.#button === document.activeElement; });
  }

  // The page may have written other children: what has left says no goodbye to hover and focus.
  #look() {
    this.#children.disconnect();
    this.#sizes.disconnect();
    const view = /** @type {HTMLElement | null} */ (this.querySelector("[data-part=view]"));
    if (view !== this.#view) this.#listen(view);
    this.#view = view;
    for (const reason of ["hover", "focus"]) {
      const selector = reason === "hover" ? ":hover" : ":focus-within";
      if (!view?.matches(selector)) this.#reasons.delete(reason);
    }
    for (const node of [this, view, this.#list]) {
      if (node) this.#children.observe(node, { childList: true });
    }
    for (const node of [this, this.#list]) if (node) this.#sizes.observe(node);
    this.#arrange();
  }

  #listen(view) {
    this.#signals.abort();
    this.#signals = new AbortController();
    const on = (type, hear) => view?.addEventListener(type, hear, this.#signals);
    on("pointerenter", ({ pointerType }) => this.#because("hover", pointerType !== "touch"));
    on("pointerleave", () => this.#because("hover", false));
    on("focusin", () => this.#because("focus", true));
    on("focusout", () => this.#because("focus", false));
    // A finger has no way to leave: the button lets the row go again.
    on("pointerdown", ({ pointerType }) => { if (pointerType === "touch") this.#press(true); });
  }

  #arrange() {
    const list = this.#list;
    const along = this.#isVertical ? "height" : "width";
    const items = /** @type {HTMLElement[]} */ ([...list?.children ?? []]);
    const sizes = items.map((item) => item.getBoundingClientRect()[along]);
    const room = this.#isVertical ? this.clientHeight : this.clientWidth;
    const isTooLong = sizes.reduce((sum, size) => sum + size, 0) > room + 1;
    const isRtl = !this.#isVertical && getComputedStyle(this).direction === "rtl";
    const isMoving = Boolean(list && isTooLong && !reduced.matches);
    const key = `${isMoving} ${isTooLong} ${along} ${isRtl} ${room} ${sizes}`;
    this.#furnish(isMoving);
    if (key === this.#key && Boolean(this.#loop) === isMoving) return;
    this.#end();
    this.#key = key;
    if (this.#view) this.#view.tabIndex = isTooLong ? 0 : -1;
    if (!isMoving || !list) return;
    const axis = this.#isVertical ? "Y" : "X";
    const shift = (pixels) => `translate${axis}(${isRtl ? -pixels : pixels}px)`;
    this.#loop = new Loop(list, sizes, room, shift);
    this.#loop.place = this.#place;
    this.#loop.stop();
    this.#turn();
  }

  #end() {
    if (this.#loop) this.#place = this.#loop.place;
    this.#loop?.end();
    this.#loop = null;
    this.#isMoving = false;
    this.#key = "";
  }

  #because(reason, is) {
    if (is) this.#reasons.add(reason);
    else this.#reasons.delete(reason);
    this.#turn();
  }

  #turn() {
    const [loop, view] = [this.#loop, this.#view];
    const isMoving = !this.#reasons.size;
    if (!loop || !view || isMoving === this.#isMoving) return;
    this.#isMoving = isMoving;
    if (!isMoving) return loop.stop();
    // It goes on from where somebody has scrolled to.
    const scrolled = this.#isVertical ? view.scrollTop : Math.abs(view.scrollLeft);
    view.scrollTo(0, 0);
    loop.go(loop.place + scrolled);
  }

  #press(isPressed) {
    this.#because("button", isPressed);
    this.querySelector("[data-part=pause]")?.setAttribute("aria-pressed", String(isPressed));
  }

  // A morph may have taken the button away: it comes back, with the focus.
  #furnish(isWanted) {
    /** @type {HTMLButtonElement | null} */
    const found = this.querySelector("[data-part=pause]");
    if (!isWanted) return found?.remove();
    const button = this.#button = found ?? this.#button; // of a copy, such as Turbo makes
    const isPressed = String(this.#reasons.has("button"));
    const given = { type: "button", "data-part": "pause", "aria-pressed": isPressed };
    for (const [name, value] of Object.entries({ ...given, "aria-label": text("Pause") })) {
      if (button.getAttribute(name) !== value) button.setAttribute(name, value);
    }
    if (found) return;
    this.append(button);
    const isLost = this.#isFocused && document.activeElement === document.body;
    if (isLost) this.#button.focus({ preventScroll: true });
  }
}
if (!customElements.get("fcs-tape")) customElements.define("fcs-tape", FCSTapeElement);

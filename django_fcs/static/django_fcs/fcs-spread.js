// The element <fcs-spread>: bid and ask as dealers read them. See docs/family.md.
// A module: fcs-elements.js imports it with the first such element on the page. It divides prices
// as django_fcs/widgets/spread.py does.
/** @type {any} */
const kit = Object.getPrototypeOf(FCSTickerElement).kit;
const { FCSElement, TickerView, node, part, field, label, pipOf, text } = kit;
const SIDES = ["bid", "ask"];
const PIECES = ["handle", "pips", "fraction"];
const MANY = 4; // digits before the point make a price of which the decimals matter least

/**
 * Divide a written price with `digits` decimals into three pieces, which differ in size.
 * @param {string} text
 * @param {number} digits
 * @param {number} [pip]
 */
export const divide = (text, digits, pip) => {
  const places = [...text.matchAll(/\d/g)].map(({ index }) => index);
  const whole = places.length - digits;
  const end = pip ? whole + Math.min(digits, pip < 0.01 ? 4 : 2)
    : whole >= MANY ? whole : places.length;
  if (end < 2) return ["", text, ""];
  const [first, after] = [places[end - 2], places[end - 1] + 1];
  return [text.slice(0, first), text.slice(first, after), text.slice(after)];
};

const side = (name, words) => {
  const dealt = node("span", { part: "dealt" }, ...PIECES.map((piece) => part(piece)));
  dealt.translate = false;
  dealt.ariaHidden = "true";
  return part(name, label(words), field(name), dealt);
};

class SpreadView extends TickerView {
  #figures = new this.words.constructor(); // not a translator's, as other words may be

  get flashing() { return "bid"; }

  build() {
    const card = super.build();
    const between = part("between", label("Spread"), field("spread"), part("unit"));
    const quote = part("quote", side("bid", "Bid"), between, side("ask", "Ask"));
    return [card.at(0), " ", quote, " ", card.at(-1)];
  }

  dress() {
    super.dress();
    if (pipOf(this.symbol)) this.words.say(this.find("[data-part=unit]"), "");
    this.#divide();
  }

  paint(message) {
    super.paint(message);
    this.#divide();
  }

  sentence({ a, b }, words) {
    const { figures } = this;
    const prices = `${text("Bid")} ${figures.number(b)}, ${text("Ask")} ${figures.number(a)}`;
    return `${this.find("[data-field=symbol]")?.textContent ?? this.symbol}, ${prices}, ${words}`;
  }

  #divide() {
    this.#figures.forget();
    for (const side of SIDES) {
      const written = this.find(`[data-field=${side}]`)?.textContent ?? "";
      const pieces = divide(written, this.figures?.digits ?? 0, pipOf(this.symbol));
      for (const [index, piece] of PIECES.entries()) {
        this.#figures.say(this.find(`[data-part=${side}] [data-part=${piece}]`), pieces[index]);
      }
    }
  }
}

class FCSSpreadElement extends FCSElement {
  static View = SpreadView;
}
if (!customElements.get("fcs-spread")) FCSSpreadElement.define("fcs-spread");

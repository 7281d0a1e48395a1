// The live drawing of <fcs-chart>: see docs/charts.md. A module: fcs-elements.js imports it when
// the first chart comes near the window. It draws what django_fcs/charts draws, from the candles
// that it asks for over the socket of the page.

// Geometry: the same rules as in django_fcs/charts; tests/charts/cases.json compares the two.
const AXIS = 64; // the width of the price axis
const DATES = 24; // the height of the time axis
// Above and below the prices there is room for marks, except in a chart that is less high: there,
// bars are easier to tell.
const [AIR, AIR_OF_SMALL, SMALL] = [20, 8, 240];
const VOLUME = 32; // the height of the band of the volume
const COLUMN = 24; // of the highest volume
const FLAT = 0.001; // of its price: what one bar without a range shows above and below
const GAP = 12; // between the newest bar and the axis
const WIDEST_HOLE = 12; // in bars
const HEIGHT = 256; // of the plot, if the page does not say it
const LEAST_TICK = 22;
const LEAST_TIME = 56;
// Between the middle of a time and the ends of its axis; a date stands at the left.
const [LEFT, EDGE] = [96, 14];
/** Pitch and width of a bar, from far to near. @type {[number, number][]} */
const ZOOMS = [[2, 1], [3, 1], [4, 3], [5, 3], [7, 5], [9, 7], [12, 9], [16, 11], [24, 17]];
const USUAL = 4;

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const MONTH = 28 * DAY;
const LONGEST_MONTH = 31 * DAY;

const lengthOf = (timeframe) => {
  const [, count, unit = ""] = /^(\d*)(\D*)$/.exec(timeframe) ?? [];
  const lengths = { H: HOUR, D: DAY, W: 7 * DAY, M: MONTH };
  const size = /^m(in)?$/.test(unit) ? MINUTE : lengths[unit.toUpperCase()] ?? MINUTE;
  return Number(count || 1) * size;
};
/** How long a bar may last. */
const longest = (length) =>
  length === MONTH ? LONGEST_MONTH + HOUR : length + (length < DAY ? 0 : HOUR);

const round = (value) => Math.floor(value + 0.5);

/** Where the parts of a drawing are. */
const boxOf = (width, height, axis = AXIS) =>
  ({ width, height, ax: width - axis, ay: height - DATES, isSmall: height < SMALL });

// The distance of two labels is a factor times a power of ten. Both are whole, so that both
// languages round alike.
const FACTORS = [1, 2, 25, 5];
/** The smallest one that is not below `least`, for labels with so many decimals. */
const stepFrom = (least, digits) => {
  for (let place = Math.floor(Math.log10(least)) - 1; ; place += 1) {
    for (const factor of FACTORS) {
      const exponent = place - Number(factor === 25);
      const times = (count) => exponent < 0 ? count * factor / 10 ** -exponent
        : count * factor * 10 ** exponent;
      if (exponent >= -digits && times(1) >= least) return { exponent, times };
    }
  }
};

// Scale: from prices to pixels and back. One bar alone has half of its range above and below it.
class Scale {
  constructor(low, high, top, bottom, isAlone) {
    const air = isAlone || low === high ? (high - low) / 2 || Math.abs(high) * FLAT || 1 : 0;
    this.low = low - air;
    this.high = high + air;
    this.top = top;
    this.bottom = Math.max(bottom, top + 1); // a plot may be less high than its axis
  }

  has(price) { return price >= this.low && price <= this.high; }
  y(price) {
    return this.top
      + round((this.high - price) / (this.high - this.low) * (this.bottom - this.top));
  }

  /** The prices that have labels, the lowest first, and their step. */
  ticks(digits) {
    const least = (this.high - this.low) * LEAST_TICK / (this.bottom - this.top);
    const step = stepFrom(least, digits);
    const prices = [];
    const last = Math.floor(this.high / step.times(1));
    for (let count = Math.ceil(this.low / step.times(1)); count <= last; count += 1) {
      prices.push(step.times(count));
    }
    return { step, prices };
  }
}

// Layout: how far each bar is from the newest, in bars. What is missing keeps its width.
/** @typedef {{ index: number, place: number, count: number, from: number, to: number }} Hole */
const layoutOf = (bars, missing, length) => {
  /** @type {number[]} */ const places = Array(bars.length);
  /** @type {Hole[]} */ const holes = [];
  const waiting = [...missing].sort(([one], [other]) => one - other);
  let place = 0;
  for (let index = bars.length - 1; index >= 0; index -= 1) {
    while (waiting.length && waiting[waiting.length - 1][0] > bars[index][0]) {
      const [from, to] = waiting.pop() ?? [];
      const count = Math.min(Math.max(round((to - from) / length), 1), WIDEST_HOLE);
      holes.push({ index: index + 1, place, count, from, to });
      place += count;
    }
    places[index] = place;
    place += 1;
  }
  return { places, holes };
};

// Sheet: the bars in sight, and their paths.
class Sheet {
  /** @type {any[][]} */ bars; /** @type {any} */ box; /** @type {string} */ kind;

  constructor({ bars, layout, box, zoom, pan = 0, kind = "candles", ...given }) {
    this.pitch = zoom[0];
    this.body = zoom[1];
    Object.assign(this, { bars, box, kind });
    const { isForming = false, hasVolume = true, sideOf = () => "" } = given;
    this.sideOf = sideOf;
    this.places = layout.places;
    this.x0 = box.ax - GAP - this.body + pan;
    // From the first bar that is whole to the last. A scale needs one: where no bar is in sight,
    // because a hole is wider than the plot, it is the one before it.
    const past = this.#from(Math.ceil((this.x0 + this.body - box.ax) / this.pitch) - 1);
    this.last = Math.min(Math.max(past - 1, 0), bars.length - 1);
    this.first = Math.max(Math.min(this.#from((this.x0 - 1) / this.pitch), this.last), 0);
    this.isForming = isForming && this.last === bars.length - 1;
    this.holes = layout.holes.filter(({ index }) => index > this.first && index <= this.last + 1);
    const seen = bars.slice(this.first, this.last + 1);
    this.most = hasVolume ? Math.max(...seen.map((bar) => bar[5] ?? 0)) : 0;
    this.floor = this.most > 0 ? box.ay - VOLUME : box.ay;
    const [low, high] =
      [Math.min(...seen.map((bar) => bar[3])), Math.max(...seen.map((bar) => bar[2]))];
    const air = box.isSmall ? AIR_OF_SMALL : AIR;
    this.scale = new Scale(low, high, air, this.floor - air, seen.length === 1);
  }

  x(index) { return this.x0 - this.places[index] * this.pitch; }
  middle(index) { return this.x(index) + this.body / 2; }
  /** Left and right of a hole. */
  ends({ place, count }) {
    const right = this.x0 - (place - 1) * this.pitch - 1;
    return [right - count * this.pitch, right];
  }

  /** Stripes that end at the edges of a hole. */
  stripes(hole) {
    const [x, end] = this.ends(hole);
    const { ay } = this.box;
    const wide = end - x;
    let found = "";
    for (let c = STRIPE; c < wide + ay; c += STRIPE) {
      found += `M${x + Math.max(0, c - ay)} ${Math.min(c, ay)}`
        + `L${x + Math.min(c, wide)} ${Math.max(0, c - wide)}`;
    }
    return found;
  }

  /** Left and right of the bars that came later. */
  mended(repaired) {
    return repaired.flatMap(([from, to]) => {
      const seen = this.bars.flatMap(([t], index) =>
        t >= from && t < to && index >= this.first && index <= this.last ? [this.x(index)] : []);
      return seen.length ? [[seen[0], seen.at(-1) + this.body]] : [];
    });
  }

  /** Where bars are outside of the hours of the exchange, each as far as the next bar. */
  get shades() {
    /** @type {[number, number, string][]} */ const found = [];
    let before = "";
    for (let index = this.first; index <= this.last; index += 1) {
      const side = this.sideOf(this.bars[index][0]);
      const next = index < this.last ? this.x(index + 1) : this.x(index) + this.pitch;
      if (side && side !== before) found.push([this.x(index) - 1, 0, side]);
      if (side) found[found.length - 1][1] = next - 1;
      before = side;
    }
    return found;
  }

  /** The bar at a place of the drawing, or the nearest. */
  at(x) {
    const index = this.#from(Math.ceil((this.x0 + this.pitch - 1 - x) / this.pitch) - 1);
    return Math.min(Math.max(index, this.first), this.last);
  }

  /** Whether a bar fits into what is drawn. */
  fits([, , high, low, , volume]) {
    const isHigher = this.most > 0 && volume > this.most;
    return this.scale.has(high) && this.scale.has(low) && !isHigher;
  }

  /** The paths of the bars that do not change any more, by their kinds. */
  paths() {
    const shaded = this.shades.map(([start, end]) => `M${start} 0V${this.box.ay}H${end}V0z`);
    const found = { session: shaded.join("") };
    for (let index = this.first; index <= this.last; index += 1) {
      if (!this.isForming || index < this.last) this.#add(found, index, "");
    }
    if (this.kind === "line" || this.kind === "area") this.#lines(found);
    return found;
  }

  /** Those of the bar that is forming. */
  forming() {
    const found = {};
    if (!this.isForming) return found;
    this.#add(found, this.last, "forming ");
    if (this.kind === "line" || this.kind === "area") {
      const run = this.#runs().at(-1) ?? [];
      found["line forming"] = this.#line(run.slice(-2));
    }
    return found;
  }

  // The first bar that is not farther from the newest: places fall from the oldest to the newest.
  #from(most) {
    const index = this.places.findIndex((place) => place <= most);
    return index < 0 ? this.places.length : index;
  }

  #add(found, index, state) {
    const [, open, high, low, close, volume] = this.bars[index];
    const { scale, body, box: { ay } } = this;
    const [x, middle] = [this.x(index), this.middle(index)];
    const add = (kind, path) => {
      const name = `${kind} ${state}${close >= open ? "up" : "down"}`;
      found[name] = (found[name] ?? "") + path;
    };
    if (volume > 0 && this.most > 0) {
      add("vol", `M${x} ${ay}v-${Math.max(round(volume / this.most * COLUMN), 1)}h${body}V${ay}z`);
    }
    const [yOpen, yHigh, yLow, yClose] = [open, high, low, close].map((price) => scale.y(price));
    if (this.kind === "candles") {
      const top = Math.min(yOpen, yClose);
      const tall = Math.abs(yOpen - yClose) - 1;
      if (yHigh !== yLow) add("wick", `M${middle} ${yHigh}V${yLow}`);
      const width = body - 1;
      // A rectangle without a height has no corners, which would shorten its line.
      add("body", tall < 1 ? `M${x} ${top + 0.5}h${body}`
        : `M${x + 0.5} ${top + 0.5}h${width}v${tall}h-${width}z`);
    }
    if (this.kind === "bars") {
      const arm = (body + 1) / 2;
      add("stem", `M${x} ${yOpen + 0.5}h${arm}M${middle} ${yHigh}V${yLow + 1}`
        + `M${x + arm - 1} ${yClose + 0.5}h${arm}`);
    }
  }

  // Bars without a hole between them.
  #runs() {
    /** @type {number[][]} */ const runs = [[]];
    for (let index = this.first; index <= this.last; index += 1) {
      if (this.holes.some((hole) => hole.index === index) && runs.at(-1)?.length) runs.push([]);
      runs.at(-1)?.push(index);
    }
    return runs;
  }

  #line(run) {
    const points = run.map((index) => `${this.middle(index)} ${this.scale.y(this.bars[index][4])}`);
    return points.length ? `M${points.join("L")}${points.length === 1 ? "h0" : ""}` : "";
  }

  #lines(found) {
    found.line = found.area = "";
    for (const run of this.#runs()) {
      if (this.kind === "area" && run.length) {
        found.area += `${this.#line(run)}V${this.scale.bottom}H${this.middle(run[0])}z`;
      }
      const isOpen = this.isForming && run.at(-1) === this.last;
      found.line += this.#line(isOpen ? run.slice(0, -1) : run);
    }
  }
}
const KINDS = ["vol", "wick", "stem", "body"].flatMap((kind) => [`${kind} up`, `${kind} down`]);
const LINES = ["area", "line"];
/** All kinds of paths, from back to front; and those of the bar that is forming. */
const PATHS = [...KINDS, ...LINES];
const FORMING = [...KINDS.map((kind) => kind.replace(" ", " forming ")), "line forming"];

/**
 * Return the paths of bars, by their kinds, as the server draws them. `bars` are lists of t, open,
 * high, low, close, volume, and whether they are final, which only the newest may not be.
 */
export const draw = (bars, { width, height, type, period, axis, missing = [], session }) => {
  const box = boxOf(width, height, axis);
  const sheet = new Sheet({
    ...{ bars, box, kind: type, layout: layoutOf(bars, missing, period) },
    ...{ zoom: new Sight().zoom(box), isForming: bars.at(-1)?.[6] === false },
    sideOf: session && sidesOf(...session, period),
  });
  return { ...sheet.paths(), ...sheet.forming() };
};

// What the elements give to modules.
/** @type {{ kit: any }} */
const { kit } = Object.getPrototypeOf(FCSTickerElement);
const { formatter, inView, node, periodOf, rooms, set, text, writeText } = kit;
const THIN = "\u2009";
const isPrice = (value) => Number.isFinite(value);

// Series: the bars of a room, each once, by ascending time: see docs/candles.md.
class Series {
  /** As [t, open, high, low, close, volume]. @type {any[][]} */ bars = [];
  /** Ranges [from, to] in which bars are missing. @type {number[][]} */ missing = [];
  /** Ranges in which they were. @type {number[][]} */ repaired = [];
  more = true; note = ""; hasEnded = false;

  constructor(length) { this.length = length; }

  get newest() { return this.bars.at(-1); }
  get oldest() { return this.bars[0]; }
  /** Whether the newest bar may still change at a time. */
  isForming(now) {
    return !this.hasEnded && now < (this.newest?.[0] ?? -Infinity) + longest(this.length);
  }

  /** Forget all bars. */
  clear() { this.bars = this.missing = this.repaired = []; }

  /** Merge a page: of a bar that is here, too, the page's counts, unless it is forming here. */
  merge({ candles, more, missing = [], repaired = [], note }, now) {
    const rows = candles.filter((bar) => bar.slice(0, 5).every(isPrice));
    const { newest, oldest } = this;
    const all = new Map([...this.bars, ...rows].map((bar) => [bar[0], bar]));
    if (newest && this.isForming(now)) all.set(newest[0], newest);
    const [start, last] = [rows[0]?.[0] ?? Infinity, rows.at(-1)?.[0] ?? 0];
    if (!rows.length || start <= (oldest?.[0] ?? Infinity)) this.more = Boolean(more);
    if (newest && last > newest[0]) this.hasEnded = false;
    this.bars = [...all.values()].sort((one, other) => one[0] - other[0]);
    // A page tells everything about its own time.
    const end = last + this.length;
    const isOutside = (range) => range[1] <= start || range[0] >= end;
    this.missing = [...this.missing.filter(isOutside), ...missing];
    this.repaired = [...this.repaired.filter(isOutside), ...repaired];
    this.note = String(note ?? "");
  }

  /** Take a price; return "last" if only the newest bar has changed, or "all". */
  take({ mode, t, o, h, l, c, v, update }, at) {
    if (![t, o, h, l, c].every(isPrice)) return "";
    const { newest } = this;
    const isQuote = mode === "askbid";
    // Ask and bid move no bar that has ended, and neither high nor low.
    if (isQuote && (update ?? at) >= t + longest(this.length)) return "";
    const bar = [t, o, h, l, isQuote ? Math.min(Math.max(c, l), h) : c, v ?? null];
    if (newest && t < newest[0]) return isQuote ? "" : this.#correct(bar);
    const isNext = newest && t > newest[0];
    this.hasEnded = mode === "close";
    if (t === newest?.[0]) this.bars[this.bars.length - 1] = bar;
    else this.bars.push(bar);
    return isNext || this.hasEnded || this.bars.length === 1 ? "all" : "last";
  }

  // The last state of the bar that has just ended may come with the first one of the next.
  #correct(bar) {
    const index = this.bars.length - 2;
    if (this.bars[index]?.[0] !== bar[0]) return "";
    this.bars[index] = bar;
    return "all";
  }
}

const PATIENCE_MS = 15_000; // the server answers within ten seconds
const MOST = 10_000;
const PAUSE = 60; // seconds after older candles were asked for in vain

// Request: asks for candles, again and again until an answer comes.
class Request {
  /** @type {number | undefined} */ #timer;
  /** @type {{ before: number | null, limit: number } | null} */ #wish = null;
  #tries = 0; #place;

  constructor(place) { this.#place = place; }
  get isOpen() { return Boolean(this.#wish); }
  get isOlder() { return Boolean(this.#wish?.before); }

  ask(limit, before = null) {
    this.#wish = { before, limit: Math.min(Math.max(Math.ceil(limit), 2), MOST) };
    this.#tries = 0;
    this.send();
  }

  send() {
    clearTimeout(this.#timer);
    if (!this.#wish) return;
    const { symbol, timeframe } = this.#place;
    rooms.client.send({ type: "candles", symbol, timeframe, ...this.#wish });
    this.#tries += 1;
    this.#timer = setTimeout(() => this.send(), PATIENCE_MS * Math.min(this.#tries, 4));
  }

  /** Wait until the room is joined again. */
  hold() { clearTimeout(this.#timer); }

  end() {
    this.#wish = null;
    this.hold();
  }
}

// Room: the bars of one room, over the connection of the page. It reports what has changed:
// "last" for the newest bar alone, "all", or "state".
class Room {
  /** @type {{ state: string, reason?: string } | null} */ state = null;
  /** Whether an answer has come. */ isHere = false;
  /** When the last price came, and the change in percent. */ at = NaN; percent = NaN;
  #place; #limit; #request; #report; #isJoined = false; #isCut = false; #vainAt = -Infinity;
  #listener = {
    price: ({ prices, at }) => this.#price(prices, at),
    state: (state) => this.#turn(state),
  };

  constructor(place, limit, report) {
    this.#place = place;
    this.#limit = limit;
    this.#report = report;
    this.#request = new Request(place);
    this.series = new Series(lengthOf(place.timeframe));
    rooms.hold(place, this.#listener);
    for (const type of ["message", "state"]) rooms.client.addEventListener(type, this);
    const key = `${place.symbol.toUpperCase()}_${place.timeframe}`;
    const { isConnected, activeSubscriptions } = rooms.client;
    if (isConnected && activeSubscriptions.has(key)) this.#join();
  }

  close() {
    for (const type of ["message", "state"]) rooms.client.removeEventListener(type, this);
    this.#request.end();
    this.#report = () => {};
    rooms.release(this.#place, this.#listener);
  }

  set report(report) { this.#report = report; }
  is({ symbol, timeframe }) {
    return this.#place.symbol === symbol && this.#place.timeframe === timeframe;
  }

  get isLoading() { return !this.isHere || this.#request.isOlder; }

  /** Ask for bars that are older than all here, if there are any. */
  reach(limit) {
    const { more, oldest } = this.series;
    const isDue = rooms.now() - this.#vainAt > PAUSE && !this.#request.isOpen;
    if (more && oldest && this.isHere && isDue) this.#request.ask(limit, oldest[0]);
  }

  handleEvent({ type, detail }) {
    if (type === "state" && detail.state !== "connected") {
      this.#isJoined = false;
      this.#request.hold();
    }
    if (type !== "message" || !this.is(detail)) return;
    if (detail.short === "joined_room") this.#join();
    if (detail.type === "candles" && Array.isArray(detail.candles)) this.#merge(detail);
  }

  #join() {
    if (this.#isJoined) return;
    this.#isJoined = true;
    this.#renew();
  }

  // What may have changed while nobody listened, and two bars before it.
  #renew(since = this.series.newest) {
    if (!this.#isJoined) return;
    if (this.#request.isOpen) {
      this.#request.send();
      return;
    }
    const passed = since ? (rooms.now() - since[0]) / this.series.length + 3 : 0;
    this.#isCut = this.isHere && passed > this.#limit;
    this.#request.ask(this.isHere && !this.#isCut ? passed : this.#limit);
  }

  #merge(page) {
    const { newest, oldest } = this.series;
    const wasOlder = this.#request.isOlder;
    // Another chart has asked for it; what lies between is not here.
    if (!wasOlder && oldest && page.candles.at(-1)?.[0] < oldest[0]) {
      this.series.more = true;
      this.#vainAt = -Infinity;
      this.#report("all");
      return;
    }
    // After a long absence, what lies between was not asked for.
    if (this.#isCut && newest && page.candles[0]?.[0] > newest[0]) this.series.clear();
    this.#isCut = false;
    this.isHere = true;
    this.#request.end();
    this.series.merge(page, rooms.now());
    if (wasOlder && oldest === this.series.oldest) this.#vainAt = rooms.now();
    this.#report("all");
  }

  #price(prices, at) {
    const before = this.series.newest;
    this.at = [prices.update, at].find(isPrice) ?? rooms.now();
    this.percent = prices.chp ?? this.percent;
    const changed = this.series.take(prices, this.at);
    // Perhaps nothing was traded in between, and perhaps it was missed.
    const isFar = before && prices.t > before[0] + longest(this.series.length);
    if (this.isHere && isFar) this.#renew(before);
    if (changed) this.#report(changed);
  }

  #turn(state) {
    const wasLost = /offline|stale/.test(this.state?.state ?? "");
    this.state = state;
    if (wasLost && state.state === "live" && this.isHere) this.#renew();
    this.#report("state");
  }
}

// Day: the figures of the day, from the room of its bars.
class Day {
  #report; #isKnown = true;
  /** @type {any} */ #prices = null;
  /** @type {any} */ #place = null;
  #listener = {
    price: ({ prices }) => {
      this.#prices = prices;
      this.#report();
    },
    state: ({ state }) => {
      this.#isKnown = /live|closed/.test(state);
      this.#report();
    },
  };

  constructor(report) { this.#report = report; }

  /** As a price has them; null if they are not known to be those of today. */
  get prices() { return this.#isKnown ? this.#prices : null; }

  hold(place) {
    if (this.#place?.symbol === place.symbol) return;
    this.release();
    this.#place = { ...place, timeframe: "1D" };
    rooms.hold(this.#place, this.#listener);
  }

  release() {
    if (this.#place) rooms.release(this.#place, this.#listener);
    this.#place = this.#prices = null;
  }
}

// Clock: writes times of one zone in one language. The offset of a zone changes on the hour.
class Clock {
  #zone; #language; #offsets = new Map(); #isDaily; #home;

  /** Days are named by the date of their middle at the exchange, weeks by that of their first. */
  constructor(language, zone, home, length) {
    this.#language = language;
    this.#zone = zone;
    this.#home = home;
    this.#isDaily = length >= DAY;
    this.length = length;
  }

  time(t) {
    if (this.#isDaily) return this.#write(t, { day: "numeric", month: "short", year: "numeric" });
    const date = this.#isToday(t) ? {} : { weekday: "short", day: "numeric", month: "short" };
    return this.#write(t, { ...date, ...HOURS });
  }

  range(from, to) {
    const hasDate = this.#isDaily || this.#dayOf(from) !== this.#dayOf(to);
    const options = {
      ...hasDate && { day: "numeric", month: "short" }, ...!this.#isDaily && HOURS,
    };
    const ends = [from, to].map((t) => new Date(this.#moment(t)));
    return this.#format(options).formatRange(...ends);
  }

  short(t) { return this.#write(t, HOURS); }
  day(t) { return this.#write(t, { day: "numeric", month: "short" }); }
  month(t) { return this.#write(t, { month: "short" }); }
  year(t) { return this.#write(t, { year: "numeric" }); }
  second(t) {
    return this.#format({ ...HOURS, second: "2-digit", timeZoneName: "short" }, this.#zone)
      .format(t * 1000);
  }

  /** Seconds as if the zone were UTC. */
  local(t) {
    const moment = this.#moment(t) / 1000;
    const hour = Math.floor(moment / (HOUR / 4));
    let offset = this.#offsets.get(hour);
    if (offset === undefined) {
      offset = this.#offset(moment);
      this.#offsets.set(hour, offset);
    }
    return moment + offset;
  }

  // Swedish writes a time as JavaScript reads it.
  #offset(moment) {
    const { format } = formatter(
      "sv", { dateStyle: "short", timeStyle: "medium", timeZone: this.#place });
    const words = format(moment * 1000).replace(" ", "T");
    return Date.parse(`${words}Z`) / 1000 - Math.floor(moment);
  }

  get #place() { return this.#isDaily ? this.#home ?? "UTC" : this.#zone; }
  #moment(t) { return 1000 * (this.#isDaily ? t + DAY / 2 : t); }
  #dayOf(t) { return Math.floor(this.local(t) / DAY); }
  #isToday(t) { return this.#dayOf(t) === this.#dayOf(rooms.now()); }

  #write(t, options) { return this.#format(options).format(this.#moment(t)); }
  #format(options, timeZone = this.#place) {
    return formatter(this.#language, { ...options, timeZone });
  }
}
/** @type {Intl.DateTimeFormatOptions} */
const HOURS = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/** Tells of a bar whether it is before or after the hours, in minutes of the exchange's clock. */
const sidesOf = (opens, closes, zone, length) => {
  const clock = new Clock("en", zone, zone, 0);
  return (t) => {
    const minute = clock.local(t) % DAY / MINUTE;
    return minute + length / MINUTE <= opens ? "before" : minute >= closes ? "after" : "";
  };
};

// Times: where the time axis has a label, and with what: at round times of the zone, and where a
// day, a month or a year begins. The most important come first, and of others the newest.
const ROUND = [5, 15, 30, 60, 120, 180, 240, 360, 720]; // minutes of a day
const newsOf = (before, after, length, step) => {
  const [old, now] = [before, after].map((local) => new Date(local * 1000));
  const isSame = (name) => old[name]() === now[name]();
  if (!isSame("getUTCFullYear")) return [0, "year"];
  if (!isSame("getUTCMonth") && length >= DAY) return [1, "month"];
  const isDay = Math.floor(before / DAY) !== Math.floor(after / DAY);
  if (isDay) return length < 7 * DAY ? [2, "day"] : [];
  return length < DAY && after / MINUTE % step === 0 ? [3, "short"] : [];
};
const timesOf = (sheet, clock) => {
  const { length } = clock;
  const apart = Math.floor(LEAST_TIME * length / (MINUTE * sheet.pitch));
  const step = ROUND.find((minutes) => minutes >= apart) ?? 720;
  const locals = sheet.bars.slice(sheet.first, sheet.last + 1).map(([t]) => clock.local(t));
  const found = locals.flatMap((local, place) => {
    const [rank, kind] = newsOf(locals[place - 1] ?? local, local, length, step);
    const index = sheet.first + place;
    return kind ? [{ rank, kind, x: sheet.middle(index), t: sheet.bars[index][0] }] : [];
  });
  if (!found.length && locals.length) {
    const kind = length < DAY ? "short" : "day";
    found.push({ rank: 3, kind, x: sheet.middle(sheet.last), t: sheet.bars[sheet.last][0] });
  }
  /** @type {typeof found} */ const kept = [];
  for (const one of found.sort((a, b) => a.rank - b.rank || b.x - a.x)) {
    const isInside = one.x >= LEFT && one.x <= sheet.box.ax - EDGE;
    if (isInside && kept.every(({ x }) => Math.abs(x - one.x) >= LEAST_TIME)) kept.push(one);
  }
  return kept.map(({ rank, kind, x, t }) =>
    ({ x, isDay: rank < 3 && length < DAY, words: clock[kind](t) }));
};

// Nodes of a drawing, each as [tag, attributes, words or further nodes]: they are made once, and
// written where they change.
const NAMESPACE = "http://www.w3.org/2000/svg";
const put = (shape, attributes) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) shape.removeAttribute(name);
    else if (shape.getAttribute(name) !== String(value)) shape.setAttribute(name, value);
  }
  return shape;
};
const shape = (tag) => document.createElementNS(NAMESPACE, tag);
const make = (tag, { namespaceURI }) =>
  tag === "svg" ? shape(tag) : document.createElementNS(namespaceURI, tag);
const render = (parent, wanted) => {
  for (const [index, [tag, attributes, inside = []]] of wanted.entries()) {
    let one = parent.children[index];
    if (one?.localName !== tag) {
      one?.remove();
      one = make(tag, parent);
      parent.insertBefore(one, parent.children[index] ?? null);
    }
    put(one, attributes);
    if (Array.isArray(inside)) render(one, inside);
    else writeText(one, inside);
  }
  while (parent.children.length > wanted.length) parent.lastChild.remove();
};
const path = (kind, d = "") => ["path", { class: kind, d }];
/** @param {string} [kind] @param {string} [anchor] */
const label = (x, y, words, kind, anchor) =>
  ["text", { class: kind, x, y, "text-anchor": anchor }, words];

const TAG = 17;
/**
 * A filled label on an axis, with a second line if there is something to say.
 * @param {string} [anchor]
 */
const tag = (kind, x, y, width, words, more = "", anchor) => {
  const left = anchor ? x + width / 2 : x + 7;
  const height = more ? TAG + 12 : TAG;
  return ["g", {}, [
    ["rect", { class: `tag ${kind}`, x: x + 0.5, y: y - 8.5, width, height, rx: 2 }],
    label(left, y + 4, words, undefined, anchor), label(left, y + 16, more, "small", anchor),
  ]];
};

// Signs: short texts in the plot. Those that would lie on an earlier one are left out.
/** @typedef {{ x: number, y: number, lines: string[], kind?: string, anchor?: string }} Sign */
const [LINE, CHARACTER] = [12, 6];
/** @param {Sign[]} signs */
const signsOf = (signs, right) => {
  /** @type {number[][]} */ const taken = [];
  return signs.flatMap(({ x, y, lines, kind = "halo", anchor = "middle" }) => {
    const width = CHARACTER * Math.max(...lines.map(({ length }) => length));
    const half = Math.floor(width / 2) + 2;
    const place = anchor === "end" ? x : Math.max(Math.min(x, right - half), half);
    const [left, top] = [place - (anchor === "end" ? width : half - 2), y - LINE * lines.length];
    if (taken.some(([x1, y1, x2, y2]) => left < x2 && x1 < left + width && top < y2 && y1 < y)) {
      return [];
    }
    taken.push([left, top, left + width, y]);
    return lines.map((words, row) =>
      label(place, top + LINE * (row + 1), words, `small ${kind}`, anchor));
  });
};

const LETTER = 8;
const SHORT = 7; // letters for which the axis has room, with an arrow
// Axis: the prices at the right, all written alike.
/** @type {[number, string][]} */
const UNITS = [[12, "T"], [9, "B"], [6, "M"]];
class Axis {
  #scale; #figures; #power; #unit; #digits;

  // Large prices are shortened, with one digit more than the step has.
  constructor(scale, figures) {
    const { step, prices } = scale.ticks(figures.digits);
    const largest = Math.max(Math.abs(scale.low), Math.abs(scale.high));
    const [power, unit] = UNITS.find(([power]) => largest >= 10 ** (power + 1)) ?? [0, ""];
    this.#scale = scale;
    this.#figures = figures;
    this.#power = power;
    this.#unit = unit && THIN + unit;
    this.#digits = unit ? Math.max(0, power - step.exponent) + 1 : figures.digits;
    this.prices = prices;
    this.labels = prices.map((price) => this.at(price));
  }

  write(price) {
    return this.#figures.number(price / 10 ** this.#power, this.#digits) + this.#unit;
  }

  /** Where a price stands; one that is out of sight is at the edge, with an arrow. */
  at(price) {
    const { low, high, top, bottom } = this.#scale;
    const [y, arrow] = price > high ? [top, "↑"] : price < low ? [bottom, "↓"]
      : [this.#scale.y(price), ""];
    return { y, words: this.write(price) + (arrow && THIN + arrow), isInside: !arrow };
  }
}

// Drawing: the SVG. It takes the place of the server's: one that becomes wider counts as a layout
// shift.
const STRIPE = 6; // from one stripe of a hole to the next
class Drawing {
  svg = shape("svg");
  #layers = ["g", "g", "g", "g"].map(shape);

  constructor(found) {
    this.svg.ariaHidden = "true";
    this.svg.append(...this.#layers);
    found.replaceWith(this.svg);
  }

  get isIntact() { return this.#layers.every(({ parentNode }) => parentNode === this.svg); }

  /** Draw everything but the cursor. */
  all(sheet, plan) {
    const { box: { width, height, ax, ay }, floor, holes } = sheet;
    const { clock, axis, levels, previous } = plan;
    const times = timesOf(sheet, clock);
    const paths = sheet.paths();
    const across = (all) => all.map(({ y, isInside = true }) =>
      isInside ? `M0 ${y + 0.5}H${ax}` : "").join("");
    const at = ({ price }) => axis.at(price);
    const mended = sheet.mended(plan.repaired);
    put(this.svg, { width, height });
    render(this.#layers[0], [
      path("session", paths.session),
      path("grid", across(axis.labels)),
      path("day", times.map(({ x, isDay }) => isDay ? `M${Math.floor(x) + 0.5} 0V${ay}` : "")
        .join("")),
      path("frame", across([{ y: ay }, { y: floor }]) + `M${ax + 0.5} 0V${ay}`),
      path("prev", isPrice(previous) ? across([axis.at(previous)]) : ""),
      path("hole", holes.map((hole) => sheet.stripes(hole)).join("")),
    ]);
    render(this.#layers[1], [
      ...PATHS.map((kind) => path(kind, paths[kind])),
      path("holeline", holes.map((hole) => {
        const [start, end] = sheet.ends(hole);
        return `M${start + 0.5} 36v-3.5h${end - start - 1}v3.5`;
      }).join("")),
      path("mended", mended.map(([start, end]) =>
        `M${start + 0.5} ${floor - 6}v3.5h${end - start - 1}v-3.5`).join("")),
      path("level", across(levels.map(at))),
      ...times.map(({ x, isDay, words }) =>
        label(x, ay + 17, words, isDay ? "strong" : undefined, "middle")),
      ...signsOf(this.#signs(sheet, plan, mended), ax),
    ]);
    this.forming(sheet, plan);
  }

  /** Draw the bar that is forming, and where the price stands. */
  forming(sheet, { axis, levels, previous, left }) {
    const { ax, width } = sheet.box;
    const paths = sheet.forming();
    const now = axis.at(sheet.bars.at(-1)[4]);
    // What has less weight makes way for what has more.
    const taken = [now.y, ...left ? [now.y + LINE] : []];
    const isFree = ({ y }) => taken.every((one) => Math.abs(one - y) >= TAG) && taken.push(y);
    const before = isPrice(previous) ? [axis.at(previous)] : [];
    render(this.#layers[2], [
      ...FORMING.map((kind) => path(kind, paths[kind])),
      path("now", now.isInside ? `M0 ${now.y + 0.5}H${ax}` : ""),
      ...levels.map(({ price }) => axis.at(price)).filter(isFree)
        .map(({ y, words }) => tag("out", ax, y, width - ax - 4, words)),
      ...before.filter(isFree).map(({ y, words }) => label(ax + 7, y + 4, words, "ink")),
      ...axis.labels.map(({ y, words }) =>
        label(ax + 7, y + 4, taken.every((one) => Math.abs(one - y) >= TAG) ? words : "")),
      tag("live", ax, now.y, width - ax - 4, now.words, left),
    ]);
  }

  /** Show shapes over all others. */
  over(shapes) { render(this.#layers[3], shapes); }

  // The texts in the plot, those with the most weight first.
  /** @returns {Sign[]} */
  #signs(sheet, { clock, axis, levels, previous, day, figures }, mended) {
    const { bars, first, last, scale, floor, box: { ax } } = sheet;
    const middle = (start, end) => Math.floor((start + end) / 2);
    const named = [...levels, { price: previous, label: text("Previous close") }];
    return [
      ...sheet.holes.map((hole) => {
        const lines = [text("no data"), clock.range(hole.from, hole.to)];
        return { x: middle(...sheet.ends(hole)), y: 26, lines, kind: "halo holetext" };
      }),
      ...mended.map(([start, end]) =>
        ({ x: middle(start, end), y: floor - 10, lines: [text("repaired")] })),
      ...named.flatMap(({ price, label }) => label && scale.has(price)
        ? [{ x: ax - 8, y: axis.at(price).y - 5, lines: [label], anchor: "end" }] : []),
      // The high and the low of the day, at the newest bars that reached them.
      ...[[day.h, 2, -5], [day.l, 3, TALL]].flatMap(([price, place, away]) => {
        const index = bars.findLastIndex((bar, at) =>
          at >= first && at <= last && bar[place] === price);
        const y = scale.y(price) + away;
        const lines = [figures.number(price)];
        return index >= 0 && y >= TALL && y < floor
          ? [{ x: Math.floor(sheet.middle(index)), y, lines }] : [];
      }),
      ...sheet.shades.flatMap(([start, end, side]) => {
        const lines = [text(side === "before" ? "Before hours" : "After hours")];
        return CHARACTER * lines[0].length + 12 <= end - start
          ? [{ x: end - 6, y: floor - 8, lines, kind: "", anchor: "end" }] : [];
      }),
    ];
  }
}
const TALL = 13; // a text in the plot

// View: which part of the bars is in sight.
class Sight {
  #zoom = USUAL; #offset = 0;
  /** @type {{ t: number, x: number } | null} */ #anchor = null;
  /** How far the bars were moved to the right, in pixels. */ pan = 0;

  /** Pitch and width of a bar. */
  zoom(box) {
    const [pitch, body] = ZOOMS[this.#zoom];
    return /** @type {[number, number]} */ (
      [pitch + Number(this.#zoom === USUAL && box.isSmall), body]);
  }

  /** Whether it has changed since the last drawing. */
  get isMoved() { return !this.#anchor; }

  move(pixels) {
    this.#offset += pixels;
    this.#anchor = null;
  }

  /** Nearer or farther; what is at `x` stays there. */
  step(count, sheet, x = sheet.box.ax) {
    const zoom = Math.min(Math.max(this.#zoom + count, 0), ZOOMS.length - 1);
    if (zoom === this.#zoom) return;
    const place = (sheet.x0 - x) / sheet.pitch;
    this.#zoom = zoom;
    const [pitch, body] = this.zoom(sheet.box);
    this.#offset = x + place * pitch - (sheet.box.ax - GAP - body);
    this.#anchor = null;
  }

  reset() {
    this.#zoom = USUAL;
    this.home();
  }

  home() {
    this.#offset = 0;
    this.#anchor = null;
  }

  /** Bars that come meanwhile do not move those in sight, unless the newest is among them. */
  settle(bars, places, box) {
    const [pitch, body] = this.zoom(box);
    const start = box.ax - GAP - body;
    const anchor = this.pan > 0 ? this.#anchor : null;
    const index = bars.findIndex(([t]) => t === anchor?.t);
    if (anchor && index >= 0) this.#offset = anchor.x - start + places[index] * pitch;
    const most = Math.max((places[0] ?? 0) * pitch - start * 0.75, 0);
    this.#offset = Math.min(Math.max(this.#offset, 0), most);
    this.pan = Math.round(this.#offset);
  }

  anchor(sheet) {
    const bar = sheet.bars[sheet.last];
    if (bar) this.#anchor = { t: bar[0], x: sheet.x(sheet.last) };
  }
}

// The figures of one bar, as nodes.
const figured = (name, words) =>
  ["div", {}, [["dt", {}, text(name)], ["dd", { translate: "no" }, words]]];
const readOutOf = ([t, open, high, low, close, volume], { figures, clock }) => {
  const prices = [["O", open], ["H", high], ["L", low], ["C", close]];
  const change = [figures.signed(close - open), figures.percent((close - open) / open * 100)];
  const time = { translate: "no", datetime: new Date(t * 1000).toISOString() };
  return [
    ["time", time, clock.time(t)],
    ["dl", {}, prices.map(([name, price]) => figured(name, figures.number(price)))],
    ["span", { "data-part": "change", translate: "no" }, change.map((one) => ["span", {}, one])],
    ...volume ? [["dl", {}, [figured("Vol", figures.abbreviate(volume))]]] : [],
  ];
};

// Tools: buttons for what the page offers.
const TYPES = { candles: "Candles", bars: "Bars", line: "Line", area: "Area" };
const ICONS = {
  candles: "M5 2v3M5 11v3M3 5h4v6H3zM11 1v3M11 9v4M9 4h4v5H9z",
  bars: "M5 2v12M2 5h3M5 11h3M11 3v11M8 6h3M11 12h3",
  line: "M2 11l4-4 3 3 5-6",
  area: "M2 11l4-4 3 3 5-6v10H2z",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
};
const group = (name, inside) =>
  ["span", { "data-part": "group", role: "group", "aria-label": text(name) }, inside];
const button = (isPressed, more, inside) =>
  ["button", { type: "button", "aria-pressed": isPressed, ...more }, inside];
const iconed = (isPressed, words, icon, more) => {
  const svg = ["svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": true }, [
    path("", ICONS[icon])]];
  return button(isPressed, { ...more, title: text(words), "aria-label": text(words) }, [svg]);
};
const toolsOf = ({ kind, timeframes }, timeframe, isFull) => [
  group("Timeframe", [...new Set(timeframes.length ? timeframes : [timeframe])].map((one) =>
    button(one === timeframe, { "data-timeframe": one }, periodOf(one)))),
  group("Type", [
    ...Object.keys(TYPES).map((one) => iconed(one === kind, TYPES[one], one, { "data-type": one })),
    iconed(isFull, "Full screen", "full", { "data-part": "full" }),
  ]),
];

const MOST_LINES = 20; // as the server allows
const optionsOf = (host) => {
  const read = (name) => host.getAttribute(name);
  const kind = read("type") ?? "candles";
  let levels = [];
  try { levels = [JSON.parse(read("lines") || "[]")].flat(); } catch { /* the server names it */ }
  return {
    kind: Object.hasOwn(TYPES, kind) ? kind : "candles",
    hasVolume: host.hasAttribute("volume"),
    range: Math.min(Math.max(Number(read("range")) || 200, 10), 1000),
    timeframes: read("timeframes")?.match(/\w+/g) ?? [],
    // The minifier does not shorten a name in quotes.
    levels: levels.slice(0, MOST_LINES)
      .map((line) => ({ price: line?.price ?? line, label: String(line?.["label"] ?? "") }))
      .filter(({ price }) => isPrice(price)),
  };
};

/** The name of a zone; an unknown one is the visitor's. */
const zoneOf = (host) => {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zone = host.getAttribute("zone") || "viewer";
  const wanted = zone === "viewer" ? own : zone === "exchange" ? host.dataset.zone || "UTC" : zone;
  try {
    new Intl.DateTimeFormat("en", { timeZone: wanted });
    return wanted;
  } catch {
    return own;
  }
};
const find = (host, name) => host.querySelector(`[data-part=${name}]`);
const VISITOR = "data-visitor";
const EVENTS = ["click", "focusin", "pointerenter", "fullscreenchange"];
const NOTICE = 160; // pixels that a notice needs beside the bars
const FEW = 0.25; // of the bars in sight: older ones are asked for when fewer are left

// Plot: one chart. It draws once in a frame, and what one price has changed with that price.
class Plot {
  #host; #live; #options; #figures; #digits = NaN; #name = "";
  /** @type {any} */ #room = null;
  /** The room of a timeframe that was chosen. @type {any} */ #next = null;
  /** @type {any} */ #parts = null;
  /** @type {any} */ #sheet = null;
  /** @type {any} */ #axis; #sideOf;
  // One out of view is painted when it comes into view.
  #day = new Day(() => inView.has(this.#host) && this.#soon());
  /** @type {any} */ #clock;
  /** @type {{ places: number[], holes: Hole[] }} */ #layout = { places: [], holes: [] };
  #sight = new Sight(); #isAll = true; #isAsked = false; #shown = ""; #lengths = "";
  /** The bar that is read out, or the hole before it; and how high the mouse is. */
  #cursor = { index: -1, t: 0, y: null, isHole: false };
  /** What a visitor does, and has done before its module is here. @type {any} */ #visitor = null;
  /** @type {((visitor: any) => void)[]} */ #wishes = [];
  /** @type {{ width: number, height: number } | null} */ #size = null;
  /** @type {number | undefined} */ #second;
  #sizes = new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect));

  constructor(host, live) {
    this.#host = host;
    this.#live = live;
    this.#options = optionsOf(host);
    live.guarded((view) => this.begin(view));
  }

  /** Begin with the room that the element has now, or in another language. */
  begin(view) {
    const host = this.#host;
    const { symbol, timeframe } = host;
    this.#figures = view.figures;
    this.#name = find(host, "head")?.querySelector("[data-field=symbol]")?.textContent || symbol;
    if (!this.#room?.is({ symbol, timeframe })) this.#enter({ symbol, timeframe });
    // The server writes the day before the month.
    const language = this.#figures.language === "en" ? "en-GB" : this.#figures.language;
    this.#clock = new Clock(language, zoneOf(host), host.dataset.zone, lengthOf(timeframe));
    const [opens, closes] = (host.dataset.hours ?? "").split("-").map(Number);
    const zone = host.dataset.zone;
    this.#sideOf = closes && zone && lengthOf(timeframe) < DAY
      ? sidesOf(opens, closes, zone, lengthOf(timeframe)) : undefined;
    this.#day.hold({ symbol, token: host.getAttribute("token") ?? undefined });
    this.#furnish();
    this.#again();
  }

  /** Follow the attributes that are options. */
  options() {
    this.#options = optionsOf(this.#host);
    this.#live.guarded((view) => {
      this.begin(view);
      this.#fit();
    });
  }

  close() {
    this.#visitor?.close();
    this.#room?.close();
    this.#next?.close();
    this.#room = this.#next = null;
    this.#day.release();
    this.#leave();
    clearInterval(this.#second);
  }

  /** Give back what another script has taken away. */
  mend() {
    if (!this.#parts || this.#isIntact) return;
    this.#furnish();
    this.#again();
  }

  /** Draw what the last price has changed. */
  paint() { this.#draw(); }

  handleEvent(event) {
    if (event.type === "fullscreenchange") {
      this.#fit();
      this.#equip();
    } else if (event.type === "keydown") this.#visit((visitor) => visitor.key(event));
    else if (event.type === "click") this.#press(event.target.closest("button")?.dataset ?? {});
    else this.#visit((visitor) => visitor.label());
  }

  /** Do what has waited for fcs-chart-visitor.js. */
  welcome(Visitor) {
    if (this.#visitor) return;
    this.#visitor = new Visitor(this.#host);
    for (const wish of this.#wishes.splice(0)) this.#visit(wish);
  }

  /** Do something to what is in sight. */
  act(write) {
    if (!this.#sheet) return;
    this.#live.guarded(write);
    this.#soon();
  }

  /** What there is to read, and where. */
  get facts() {
    const { bars } = this.#room.series;
    return {
      ...{ bars, sheet: this.#sheet, holes: this.#layout.holes, levels: this.#options.levels },
      ...{ figures: this.#figures, clock: this.#clock, previous: this.#previous },
      ...{ name: this.#name, parts: this.#parts, cursor: this.#cursor },
      words: find(this.#host, "status")?.textContent,
      ...{ sight: this.#sight, axis: this.#axis, shapes: { path, tag } },
      title: text(TYPES[this.#options.kind]), length: this.#room.series.length,
      day: this.#day.prices ?? {}, percent: this.#room.percent,
    };
  }

  // Asks for the module, which fcs-elements.js imports.
  #visit(wish) {
    if (this.#visitor) {
      this.#live.guarded(() => wish(this.#visitor));
      return;
    }
    this.#wishes.push(wish);
    set(this.#host, VISITOR, "1");
  }

  // Rooms

  #enter(place) {
    const isReady = this.#next?.is(place);
    this.#room?.close();
    if (!isReady) this.#next?.close();
    this.#room = isReady ? this.#next : this.#open(place);
    this.#next = null;
    this.#room.report = (what) => {
      if (what !== "all") return;
      const { series } = this.#room;
      // Older bars have moved the one that is read out.
      this.#cursor.index = series.bars.findIndex(([t]) => t === this.#cursor.t);
      this.#again();
    };
    this.#sheet = null;
    this.#cursor.index = this.#cursor.t = -1;
    this.#sight.reset();
  }

  /** @param {(what: string) => void} report */
  #open(place, report = () => {}) {
    const token = this.#host.getAttribute("token") ?? undefined;
    return new Room({ ...place, token }, this.#options.range, report);
  }

  // The old room stays until the bars of the new one are here.
  #switch(timeframe) {
    const { symbol } = this.#host;
    this.#next?.close();
    this.#next = null;
    if (!this.#room?.is({ symbol, timeframe })) {
      this.#next = this.#open({ symbol, timeframe }, (what) => this.#arrive(what, timeframe));
    }
    this.#again();
  }

  #arrive(what, timeframe) {
    const next = this.#next;
    if (what === "all" && next?.isHere) this.#host.timeframe = timeframe;
    const isRefused = what === "state" && next?.state?.state === "offline";
    if (!isRefused || !rooms.client.isConnected) return;
    next.close();
    this.#next = null;
    this.#again();
  }

  // Nodes

  get #isIntact() {
    const { drawing, tools } = this.#parts;
    return [drawing.svg, tools.lastChild].every((one) => one && this.#host.contains(one))
      && drawing.isIntact;
  }

  #furnish() {
    const host = this.#host;
    const plot = find(host, "plot");
    if (!plot) return;
    this.#leave();
    this.#sizes.observe(plot);
    plot.addEventListener("keydown", this);
    for (const type of EVENTS) host.addEventListener(type, this);
    const spoken = find(host, "spoken") ?? node("div", { part: "spoken" });
    Object.assign(spoken, { role: "status" });
    if (!spoken.isConnected) host.append(spoken);
    Object.assign(plot, { tabIndex: 0, role: "application", ariaLabel: this.#name });
    const table = find(host, "link") ?? node("button", { part: "link" });
    Object.assign(table, { type: "button", textContent: text("Bars as a table") });
    // The server's drawing stays until there is another one.
    const found = plot.querySelector("svg");
    const svg = found ?? shape("svg");
    if (!found) plot.append(svg);
    svg.ariaHidden = "true";
    const place = (name) => find(host, name) ?? node("div", {});
    if (!table.isConnected) place("foot").insertBefore(table, find(host, "source"));
    this.#parts = {
      plot, spoken, table,
      drawing: { svg, isIntact: true },
      readout: place("readout"), tools: place("tools"),
    };
    if (!found) this.#fit();
    this.#equip();
    this.#visitor?.begin();
  }

  #leave() {
    this.#sizes.disconnect();
    this.#parts?.plot.removeEventListener("keydown", this);
    for (const type of EVENTS) this.#host.removeEventListener(type, this);
  }

  #equip() {
    const isFull = document.fullscreenElement === this.#host;
    render(this.#parts.tools, toolsOf(this.#options, this.#host.timeframe, isFull));
  }

  #press({ part, timeframe, type }) {
    if (timeframe) this.#switch(timeframe);
    if (type) this.#host.setAttribute("type", type);
    if (part === "link") this.#visit((visitor) => visitor.toggle());
    if (part !== "full") return;
    if (document.fullscreenElement) document.exitFullscreen();
    else this.#host.requestFullscreen?.();
  }

  // Drawing

  // The plot is as high as its drawing, except in full screen.
  #fit() {
    const wanted = Number(this.#host.getAttribute("height")) || HEIGHT;
    const height = Math.min(Math.max(wanted, 160), 800);
    if (document.fullscreenElement === this.#host) return;
    put(this.#parts.drawing.svg, { height });
    if (this.#size) this.#size.height = height;
  }

  #resize({ width, height }) {
    if (!width || !height) return;
    this.#size = { width: Math.round(width), height: Math.round(height) };
    this.#again();
  }

  #again() {
    this.#isAll = true;
    this.#soon();
  }

  #soon() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      if (this.#room) this.#live.guarded(() => this.#draw());
    });
  }

  #draw() {
    const { bars = [] } = this.#room?.series ?? {};
    if (!this.#parts || !this.#size) return;
    this.#today();
    if (this.#room?.isHere && bars.length) {
      const { digits } = this.#figures; // a page may learn them with the first price
      if (digits !== this.#digits) this.#isAll = true;
      this.#digits = digits;
      const isOther = this.#isAll || this.#sight.isMoved || !this.#sheet?.fits(bars.at(-1));
      if (isOther) this.#drawAll(this.#size);
      else this.#parts.drawing.forming(this.#sheet, this.#plan());
      this.#isAll = false;
      this.#mark();
    }
    this.#note();
  }

  #drawAll({ width, height }) {
    const { series } = this.#room;
    const { bars } = series;
    const { kind, hasVolume, levels } = this.#options;
    const isForming = series.isForming(rooms.now()) && this.#host.dataset.state !== "closed";
    this.#layout = layoutOf(bars, series.missing, series.length);
    const prices = [bars.at(-1)[4], this.#previous, ...levels.map(({ price }) => price)];
    // Long labels need a wider axis, which leaves less room for bars.
    for (let wide = AXIS; ;) {
      const box = boxOf(width, height, wide);
      this.#sight.settle(bars, this.#layout.places, box);
      this.#sheet = new Sheet({
        ...{ bars, box, kind, hasVolume, isForming, layout: this.#layout, sideOf: this.#sideOf },
        zoom: this.#sight.zoom(box), pan: this.#sight.pan,
      });
      const axis = this.#axis = new Axis(this.#sheet.scale, this.#figures);
      const labels = [...axis.prices, ...prices.filter(isPrice)].map((price) => axis.write(price));
      const longest = Math.max(...labels.map(({ length }) => length));
      const wanted = AXIS + LETTER * Math.max(0, longest - SHORT);
      if (wanted <= wide || wanted > width / 2) break;
      wide = wanted;
    }
    this.#sight.anchor(this.#sheet);
    const { drawing } = this.#parts;
    if (!(drawing instanceof Drawing)) this.#parts.drawing = new Drawing(drawing.svg);
    this.#parts.drawing.all(this.#sheet, this.#plan());
    if (this.#isAll) this.#visitor?.list(); // not when the same bars were moved
    const { first, last } = this.#sheet;
    const date = find(this.#host, "date");
    const begin = bars[first][0];
    if (date) writeText(date, this.#clock[series.length < DAY ? "day" : "year"](begin));
    if (first < FEW * (last - first)) this.#room.reach(this.#options.range);
    this.#second ??= setInterval(() => {
      if (!document.hidden && inView.has(this.#host) && this.#left()) this.#soon();
    }, 1000);
  }

  #plan() {
    const { repaired, length } = this.#room.series;
    // Bars of a day or longer have no line at a price of the day.
    const isWithin = length < DAY;
    return {
      ...{ figures: this.#figures, clock: this.#clock, levels: this.#options.levels, repaired },
      ...{ previous: isWithin ? this.#previous : NaN, left: this.#left(), axis: this.#axis },
      day: isWithin && this.#day.prices || {},
    };
  }

  /** The close of the day before: what a room of minutes calls previous is another one. */
  get #previous() { return Number(this.#host.getAttribute("data-previous") ?? NaN); }

  // The figures of the day over the plot, which are pale until they are known to be current.
  #today() {
    const { prices } = this.#day;
    const row = find(this.#host, "row");
    if (row) set(row, "data-state", prices ? "live" : "stale");
    if (!prices) return;
    const figures = this.#figures;
    for (const shown of row?.querySelectorAll("[data-day]") ?? []) {
      const name = shown.dataset.day;
      const value = prices[name[0]]; // o, h, l, v
      writeText(shown, name === "volume" ? figures.abbreviate(value) : figures.number(value));
    }
    if (isPrice(prices.pc)) set(this.#host, "data-previous", String(prices.pc));
    set(this.#host, "data-base", String(prices.pc ?? prices.o));
    const { h, l } = prices;
    const shown = [h, l, this.#previous].join();
    if (shown !== this.#shown) this.#isAll = true;
    this.#shown = shown;
  }

  // The time until the bar ends, under its price.
  #left() {
    const { newest, length } = this.#room.series;
    if (!this.#sheet?.isForming || this.#host.dataset.state !== "live") return "";
    const left = Math.ceil(newest[0] + length - rooms.now());
    if (left < 0 || length >= DAY) return "";
    const [hours, minutes, seconds] = [left / HOUR, left / MINUTE % 60, left % 60].map(Math.floor);
    const two = (count) => String(count).padStart(2, "0");
    return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
  }

  // The read-out, and where the cursor is.
  #mark() {
    const { bars } = this.#sheet;
    const { index } = this.#cursor;
    const shown = bars[index] ?? bars.at(-1);
    const { readout } = this.#parts;
    const wanted = readOutOf(shown, { figures: this.#figures, clock: this.#clock });
    // Words of other lengths become new nodes: those that make room would count as a layout shift.
    const lengths = JSON.stringify(wanted, (_, one) => typeof one === "string" ? one.length : one);
    if (lengths !== this.#lengths) readout.replaceChildren();
    this.#lengths = lengths;
    render(readout, wanted);
    const [, open, , , close] = shown;
    set(readout, "data-direction", close > open ? "up" : close < open ? "down" : "");
    this.#visitor?.mark();
  }

  #note() {
    const room = this.#room;
    if (!room || !this.#parts) return;
    this.#over(this.#notice(room), !room.series.bars.length);
    const isMended = room.series.repaired.length > 0;
    const last = isPrice(room.at) && text("last price {n}", this.#clock.second(room.at));
    const words = [last, isMended && text("repaired")].filter(Boolean).join(" · ");
    const note = find(this.#host, "note");
    if (note && words) writeText(note, words);
  }

  // What is said in the drawing; null leaves what is said.
  #over(notice, isEmpty) {
    const { plot } = this.#parts;
    const over = find(plot, "over") ?? node("div", { part: "over" });
    if (!notice) return;
    const [title, words = ""] = notice;
    if (!title) over.remove();
    else if (!over.isConnected) plot.prepend(over);
    put(over, { "data-empty": isEmpty ? "" : undefined });
    render(over, [["b", {}, title], ["span", {}, words]]);
  }

  // What is to be said in the drawing, in a few words and in more.
  #notice({ series: { bars, more, note }, isHere, isLoading, state }) {
    const isEmpty = !bars.length;
    if (!isHere) {
      const isBlank = !this.#parts.plot.querySelector("svg :not(.frame)");
      return isBlank ? [text("Loading older bars")] : null;
    }
    if (isEmpty) return [text("No data for {n}", this.#name), note || state?.reason || ""];
    const isEdge = this.#sheet?.first === 0 && this.#sheet.x(0) > NOTICE;
    if (!isEdge) return [];
    if (isLoading) return [text("Loading older bars")];
    const time = this.#clock.time(bars[0][0]);
    const isShort = note && (more || bars.length < this.#options.range);
    if (isShort) return [text("No history before {n}", time), note];
    return bars[1] || more ? [] : [text("First bar at {n}", time)];
  }
}

/** @type {any} */
const element = customElements.get("fcs-chart");
if (element && !element.Plot) {
  element.Plot = Plot;
  /** @type {NodeListOf<any>} */
  const hosts = document.querySelectorAll("fcs-chart");
  for (const host of hosts) host.furnish();
}

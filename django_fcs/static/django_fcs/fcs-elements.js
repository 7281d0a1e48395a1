// The elements <fcs-ticker>, <fcs-tag>, <fcs-price> and <fcs-status>, which keep what the server
// rendered up to date. See docs/widgets.md. A classic script, after fcs-client.js; the first one
// loaded wins. Everything except the elements is internal.
if (customElements.get("fcs-ticker")) {
  console.warn("fcs-elements.js: loaded twice");
} else if (!globalThis.FCSClient?.offlineAfter) {
  console.error("fcs-elements.js: load fcs-client.js first");
} else {
  const RELOAD = "load the page again"; // the server's words for a token that is no longer valid
  const VAIN = "no price has come";
  // The second one is the server's.
  const NO_DATA = [VAIN, "the feed does not confirm this symbol"];
  const PATIENCE = 3; // times the seconds until a price counts as offline
  const [UNKNOWN, THIN] = ["–", "\u2009"];
  // The currencies whose pip is 0.0001 of a price, those whose pip is 0.01, and those without one.
  const FOUR = "AED|AUD|BRL|CAD|CHF|CNH|CNY|CZK|DKK|EUR|GBP|HKD|ILS|KWD|MXN|MYR|NOK|NZD|PEN|PLN|"
    + "RON|SAR|SEK|SGD|TRY|USD|ZAR";
  const TWO = "HUF|INR|JPY|THB";
  const NONE = "ARS|CLP|COP|EGP|IDR|KRW|NGN|PHP|PKR|RUB|TWD|UAH|VND";
  const CURRENCIES = `${FOUR}|${TWO}|${NONE}`;
  const FOREX = new RegExp(`^(${CURRENCIES})(${CURRENCIES})$`);
  const METAL = new RegExp(`^(XAU|XAG|XPT|XPD)(${CURRENCIES})$`);
  const COIN = /^([\p{L}\p{N}_]+)(USD[TC])$|^([\p{L}\p{N}_]{2,})(USD)$/u;
  /** @type {[number, string][]} */
  const UNITS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]];
  // 5m, 4h; 1D stays.
  const periodOf = (timeframe) => {
    const minutes = Number(timeframe);
    return minutes < 60 ? `${minutes}m` : minutes ? `${minutes / 60}h` : timeframe;
  };
  /** @type {[string, number, number?][]} */
  const AGES = [
    ["{n} d old", 86_400, 172_800], ["{n} h old", 3600], ["{n} min old", 60],
  ];

  const MOST_DIGITS = 20;
  const isWritable = (value) => Number.isFinite(value) && Math.abs(value) < 1e21;

  // The first one that a room of the page has is the state of the page.
  const STATES = ["live", "stale", "offline", "waiting", "closed"];
  const DELAYED = "{n} min delayed";
  const numbersOf = (prices) =>
    Object.fromEntries(Object.entries(prices).filter(([, value]) => Number.isFinite(value)));

  const UNSEEN_MS = 2000;
  const FRAME_MS = 5; // a third of a frame: the rest is for the browser
  const FLASH_MS = 400;
  const SLACK_MS = 50;
  const FLASH_PAUSE_MS = 500; // so an element flashes at most twice a second
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  const offline = (reason) => ({ state: "offline", reason });
  const keyOf = ({ symbol, timeframe }) => `${symbol}_${timeframe}`;
  const PRICES = { open: "o", high: "h", low: "l", close: "c", ask: "a", bid: "b" };
  const tickerOf = (symbol) => symbol.slice(symbol.lastIndexOf(":") + 1);

  const pipOf = (symbol) => {
    const currency = FOREX.exec(tickerOf(symbol))?.[2] ?? UNKNOWN;
    return FOUR.includes(currency) ? 0.0001 : TWO.includes(currency) ? 0.01 : undefined;
  };

  // Zeros that hold the room of the first price.
  const shapeOf = (symbol, field) => {
    const pip = pipOf(symbol) ?? 1;
    const price = pip < 0.01 ? "0.00000" : pip < 1 ? "000.000" : "00,000.00";
    if (field === "change_percent") return `+0.00${THIN}%`;
    return PRICES[field] ? price : field === "change" ? `+${price}` : "";
  };

  const nameOf = (symbol) => {
    const ticker = tickerOf(symbol);
    const pair = FOREX.exec(ticker) ?? METAL.exec(ticker) ?? COIN.exec(ticker);
    return pair ? pair.slice(1).filter(Boolean).join("/") : ticker;
  };

  const CHOICES = /^(red-up|colour-blind|compact|regular)$/;

  // Advice: to the developers of a page, each sentence once.
  const advice = new Set();
  const advise = (words) => {
    if (!advice.has(words)) console.warn(`fcs-elements.js: ${words}`);
    advice.add(words);
  };

  // The data block of {% fcs_scripts %}: words, separators, the default timeframe, modules. A page
  // may have several, in several languages, and may change them at any time.
  const BLOCK = "#fcs-page";
  const ENGLISH = { decimal: ".", thousand: ",", grouping: "3" };
  const wordsOf = (values) => Object.fromEntries(
    Object.entries(values ?? {}).filter(([, value]) => typeof value === "string"));
  /** @returns {Record<string, any>} */
  const pageOf = (block) => ({
    ...wordsOf(block),
    numbers: { ...ENGLISH, ...wordsOf(block.numbers) },
    texts: wordsOf(block.texts),
    modules: wordsOf(block.modules),
  });
  const readPage = () => {
    let page = pageOf({});
    const { lang } = document.documentElement;
    const isOther = (block) => block.language?.toLowerCase() !== lang.toLowerCase();
    for (const { textContent } of document.querySelectorAll(BLOCK)) {
      try {
        const block = pageOf(JSON.parse(textContent));
        if (isOther(page) || !isOther(block)) page = block;
      } catch {
        advise("cannot read the data block");
      }
    }
    return page;
  };
  let page = readPage();

  // The texts that the page may show: those that the server writes, and those that were needed.
  const ownTexts = new Set([...STATES, DELAYED]);
  // A text of the page, by the English one.
  const text = (english, n) => {
    ownTexts.add(english);
    return (page.texts[english] ?? english).replace("{n}", () => n);
  };

  const ageOf = (seconds) => {
    if (!Number.isFinite(seconds)) return text("stale");
    const [english, size] =
      AGES.find(([, size, least = size]) => seconds >= least) ?? ["{n} s old", 1];
    return text(english, Math.max(0, Math.floor(seconds / size)));
  };

  // Unix seconds that both the server and the browser can write as a date.
  const isMoment = (seconds) =>
    Number.isFinite(seconds) && seconds >= 1 && seconds < 253_402_000_000; // the year 9999
  const dayOf = (seconds) => new Date(seconds * 1000).setHours(0, 0, 0, 0);
  // By the visitor's date: the time of the server may have stood still while the machine slept.
  const daysTo = (seconds) => Math.round((dayOf(seconds) - dayOf(Date.now() / 1000)) / 86_400_000);

  const isLanguage = (tag) => { try { return new Intl.Locale(tag); } catch { return false; } };

  // Creating an Intl formatter costs more than using it a thousand times.
  const formatters = new Map();
  const formatter = (language, options) => {
    const key = `${language} ${JSON.stringify(options)}`;
    if (!formatters.has(key)) {
      const latin = { ...options, numberingSystem: "latn" };
      formatters.set(key, new Intl.DateTimeFormat(language, latin));
    }
    return formatters.get(key);
  };

  // A number as its shortest spelling has it: an integer, and a power of ten to multiply it by.
  /** @returns {[bigint, number]} */
  const decimal = (value) => {
    const [, whole, part = "", power = 0] =
      /^(-?\d+)(?:\.(\d+))?(?:e(.+))?$/.exec(String(value)) ?? ["", "0"];
    return [BigInt(whole + part), Number(power) - part.length];
  };

  // Without the noise of binary numbers, which would turn some halves.
  const minus = (a, b) => {
    const [[all, power], [less, other]] = [decimal(a), decimal(b)];
    const least = Math.min(power, other);
    const scaled = (figures, from) => figures * 10n ** BigInt(from - least);
    return Number(`${scaled(all, power) - scaled(less, other)}e${least}`);
  };

  const inPips = (distance, pip) => {
    const [[all, power], [, places]] = [decimal(distance), decimal(pip)];
    return Number(`${all}e${power - places}`); // a pip is a power of ten
  };

  // The figures before and after the point: rounded half up from the shortest spelling, as the
  // server does. Intl and toFixed round some halves otherwise.
  const split = (value, digits) => {
    const [all, power] = decimal(Math.abs(value));
    const shift = power + digits;
    const scaled = shift < 0
      ? (all / 10n ** BigInt(-shift - 1) + 5n) / 10n
      : all * 10n ** BigInt(shift);
    const figures = String(scaled).padStart(digits + 1, "0");
    return [figures.slice(0, figures.length - digits), figures.slice(figures.length - digits)];
  };

  // Writes figures with the separators of a language. Django knows them; Intl often has others.
  const spellingOf = (own) => {
    const { decimal, thousand, grouping } = { ...page.numbers, ...own };
    return ([whole, part]) => {
      const groups = [];
      const sizes = grouping.split(" ").map(Number);
      let size = sizes.shift();
      while (size > 0 && whole.length > size) {
        groups.unshift(whole.slice(-size));
        whole = whole.slice(0, -size);
        size = sizes.shift() || size;
      }
      return [whole, ...groups].join(thousand) + (part && decimal + part);
    };
  };

  // Figures: writes numbers as django_fcs/widgets/formats.py does, and times in the language of
  // their place.
  class Figures {
    constructor(language, spell, symbol, digits) {
      this.language = language;
      this.spell = spell;
      this.symbol = symbol;
      this.digits = digits;
    }

    number(value, digits = this.digits, plus = "") {
      if (!isWritable(value)) return UNKNOWN;
      const parts = split(value, Math.min(Math.max(Math.trunc(digits) || 0, 0), MOST_DIGITS));
      const isSigned = plus ? value : /[1-9]/.test(parts.join(""));
      return (isSigned ? (value < 0 ? "−" : plus) : "") + this.spell(parts);
    }

    signed(value, digits = this.digits) { return this.number(value, digits, "+"); }
    percent(value) { return isWritable(value) ? `${this.signed(value, 2)}${THIN}%` : UNKNOWN; }

    abbreviate(value) {
      if (!isWritable(value)) return UNKNOWN;
      // A value that rounds up to a thousand of one unit is written as one of the next unit.
      const [size, unit] = UNITS.find(([size]) => value >= size * 0.9995) ?? [];
      if (size) return this.#threeFigures(value / size) + THIN + unit;
      return Number.isInteger(value) ? this.number(value, 0) : this.#threeFigures(value);
    }

    spread(ask, bid) {
      if (!isWritable(ask) || !isWritable(bid)) return UNKNOWN;
      const [distance, pip] = [minus(ask, bid), pipOf(this.symbol)];
      if (!isWritable(distance) || !pip) return this.number(distance);
      return text("{n} pips", this.number(inPips(distance, pip), 1));
    }

    clock(seconds, zone) {
      const place = zone && { timeZone: zone, timeZoneName: "short" };
      const date = daysTo(seconds) ? { day: "2-digit", month: "2-digit", year: "numeric" } : {};
      return this.#time(seconds, { ...date, ...place, second: "2-digit" });
    }

    opening(seconds) {
      const days = daysTo(seconds); // beyond six days a weekday would be ambiguous
      const date = days > 0 && days < 7 ? { weekday: "short" } : { day: "numeric", month: "short" };
      return this.#time(seconds, days ? date : {});
    }

    #time(seconds, options) {
      const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      return formatter(this.language, { ...options, ...time }).format(new Date(seconds * 1000));
    }

    #threeFigures(value) {
      return this.number(value, [99.95, 9.995, 0.9995].filter((limit) => value < limit).length);
    }
  }

  const SPELLING = ["data-decimal", "data-thousand", "data-grouping"];
  // Not data-flash, which an element removes by itself.
  const GUARDED = {
    subtree: true, childList: true, characterData: true, attributeFilter: [
      "data-state", "data-direction", "data-delay", "data-digits", "data-field",
      "data-part", "role", "aria-label", "title", "datetime", "translate",
    ],
  };
  const OTHERS = {
    volume: (figures, { v }) => figures.abbreviate(v),
    spread: (figures, { a, b }) => figures.spread(a, b),
    change: (figures, { ch }) => figures.signed(ch),
    change_percent: (figures, { chp }) => figures.percent(chp),
  };

  // The ends of the selected range. To read them lays out the page.
  const selectionNow = () => {
    const selection = getSelection();
    const isRange = selection?.type === "Range";
    const end = (node, offset) => (isRange ? { node, offset } : { node: null, offset: 0 });
    return {
      from: end(selection?.anchorNode, selection?.anchorOffset),
      to: end(selection?.focusNode, selection?.focusOffset),
    };
  };

  const olderThan = (ms, times) => {
    const limit = performance.now() - ms;
    return [...times].flatMap(([one, since]) => since > limit ? [] : [one]);
  };

  // Painter: writes what has changed before a frame, in that frame. What nobody sees waits for two
  // seconds, so that many prices become one, and then for a frame with time left. Each frame costs
  // the browser more than the prices in it, so a tint ends in one that is there anyway.
  const painter = {
    due: new Set(),
    /** @type {Map<() => void, number>} */ later: new Map(), // by age, with the time of each
    /** @type {Map<View, number>} */ tints: new Map(), // by age, with the time of each
    /** @type {number | undefined} */ fading: undefined,
    /** @type {number | undefined} */ timer: undefined,
    isAsked: false,
    /** @type {ReturnType<typeof selectionNow> | null} */ selected: null,
    add(paint) {
      this.later.delete(paint);
      this.due.add(paint);
      this.askFrame();
    },
    put(paint) {
      if (this.due.has(paint) || this.later.has(paint)) return;
      this.later.set(paint, performance.now());
      this.wait();
    },
    hurry(paint) { if (this.later.has(paint)) this.add(paint); },
    tint(view) {
      this.tints.set(view, performance.now());
      this.arm();
    },
    arm() {
      this.fading ??= setTimeout(() => {
        this.fading = undefined;
        this.fade(FLASH_MS);
        if (this.tints.size) this.arm();
      }, 2 * SLACK_MS);
    },
    fade(ms) {
      for (const view of olderThan(ms, this.tints)) {
        this.tints.delete(view);
        view.mark("flash", null);
      }
    },
    askFrame() {
      if (this.isAsked) return;
      this.isAsked = true;
      requestAnimationFrame(() => {
        this.isAsked = false;
        this.run(FRAME_MS);
      });
    },
    wait() {
      const [since] = this.later.values();
      const ms = since + UNSEEN_MS - performance.now();
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        if (olderThan(UNSEEN_MS + SLACK_MS, this.later).length) this.askFrame();
        else if (this.later.size) this.wait();
      }, ms + 2 * SLACK_MS);
    },
    run(ms = Infinity) {
      this.selected = selectionNow(); // before the first change, while the page is laid out
      try {
        this.fade(FLASH_MS - SLACK_MS);
        this.write([...this.due, ...olderThan(ms === Infinity ? 0 : UNSEEN_MS, this.later)], ms);
      } finally {
        this.selected = null;
      }
      if (this.due.size) this.askFrame();
      if (this.later.size) this.wait();
    },
    write(paints, ms) {
      const end = performance.now() + ms;
      for (const paint of paints) { // one that comes meanwhile is for the next frame
        this.due.delete(paint);
        this.later.delete(paint);
        paint();
        if (performance.now() >= end) break;
      }
    },
    handleEvent() { this.run(); },
  };
  addEventListener("beforeprint", painter);

  // The elements on the page, and the number of changes of its language.
  const present = new Set();
  let edition = 0;

  // Queue: elements that settle, before anything else happens; of hundreds, most wait for a turn of
  // their own, so that a new page answers its visitor.
  const queue = {
    due: new Set(),
    isAsked: false,
    add(settle) {
      this.due.add(settle);
      if (!this.isAsked) queueMicrotask(() => this.run());
      this.isAsked = true;
    },
    run() {
      const end = performance.now() + FRAME_MS;
      for (const settle of this.due) {
        this.due.delete(settle);
        settle();
        if (performance.now() >= end) break;
      }
      this.isAsked = this.due.size > 0;
      if (this.isAsked) setTimeout(() => this.run());
    },
  };

  // Ageing: one timer for all prices that show their age; none while the page is hidden.
  const ageing = {
    due: new Set(),
    /** @type {number | undefined} */ timer: undefined,
    watch(paint, isAgeing) {
      if (isAgeing) this.due.add(paint);
      else this.due.delete(paint);
      this.arm();
    },
    arm() {
      if (this.due.size && !document.hidden) {
        this.timer ??= setInterval(() => this.tick(), 1000);
        return;
      }
      clearInterval(this.timer);
      this.timer = undefined;
    },
    tick() { for (const paint of this.due) painter.add(paint); },
    handleEvent() { this.tick(); this.arm(); },
  };
  document.addEventListener("visibilitychange", ageing);

  // Midnight: a time of today becomes one of yesterday, on pages that nobody has touched, too.
  const midnight = {
    /** @type {number | undefined} */ timer: undefined,
    arm() {
      clearTimeout(this.timer);
      const due = new Date().setHours(24, 0, 1, 0) - Date.now();
      this.timer = setTimeout(() => this.handleEvent(), due);
    },
    handleEvent() {
      for (const { paint } of present) painter.add(paint);
      this.arm();
    },
  };
  midnight.arm();
  addEventListener("pageshow", midnight);
  document.addEventListener("visibilitychange", midnight);

  // PageRooms: the page's connection. Joins a room with its first listener, leaves with the last.
  class PageRooms {
    client = Object.assign(new FCSClient(), { reconnectlimit: Infinity, focusTimeout: 3 });
    #isStarted = false; #isLost = false; #rooms = new Map(); #watchers = new Set();
    /** @type {number | undefined} */ #countdown;

    now() { return this.client.serverTime() / 1000; }

    hold(place, listener) {
      if (!this.#isStarted) this.#connect();
      const room = this.#rooms.get(keyOf(place))
        ?? { listeners: new Set(), price: null, state: null };
      this.#rooms.set(keyOf(place), room);
      if (!room.listeners.size) this.#judge(room);
      room.listeners.add(listener);
      this.client.join(place.symbol, place.timeframe, place.token);
      if (room.price) listener.price(room.price);
      if (room.state) listener.state(room.state);
    }

    release(place, listener) {
      const { listeners } = this.#rooms.get(keyOf(place));
      listeners.delete(listener);
      if (listeners.size) return;
      this.#rooms.delete(keyOf(place));
      this.client.leave(place.symbol, place.timeframe);
    }

    /** Paint whenever the connection or the state of a room may have changed. */
    watch(paint, isWatching) {
      if (isWatching) this.#watchers.add(paint);
      else this.#watchers.delete(paint);
      this.notify();
    }

    /** The page's connection in one state; null until something is known. */
    overview() {
      const seconds = this.client.secondsToReconnect;
      if (this.#isLost) return { state: "offline", seconds };
      const states = [...this.#rooms.values()].map((room) => room.state?.state);
      const state = STATES.find((name) => states.includes(name));
      return state ? { state, seconds } : null;
    }

    notify() {
      for (const paint of this.#watchers) painter.add(paint);
      clearTimeout(this.#countdown);
      if (this.#isLost && this.#watchers.size) {
        this.#countdown = setTimeout(() => this.notify(), 1000);
      }
    }

    #connect() {
      const on = (type, hear) => this.client.addEventListener(type, ({ detail }) => hear(detail));
      this.#isStarted = true;
      on("message", (message) => this.#hear(message));
      on("refused", (room) => this.#tell(this.#rooms.get(keyOf(room)), offline(room.message)));
      on("state", ({ state }) => this.#turn(state));
      this.client.connect();
    }

    // The rendered state counts for a short time only: then the server must have sent one.
    #judge(room) {
      if (this.#isLost) this.#tell(room, offline("the connection is lost"));
      else this.#doubt(room, 1, offline("the server has not spoken of this room"));
    }

    #doubt(room, times, message) {
      clearTimeout(room.doubt);
      const ms = times * FCSClient.offlineAfter * 1000;
      room.doubt = setTimeout(() => this.#tell(room, message), ms);
    }

    #hear(message) {
      const room = this.#rooms.get(keyOf(message));
      if (room && message.type === "state") this.#hearState(room, message);
      if (!room || message.type !== "price" || (message.prices?.mode ?? "profile") === "profile") {
        return;
      }
      if (this.#isBehind(room, message.seq)) return;
      Object.assign(room, { price: message, takenAt: performance.now() });
      for (const listener of room.listeners) listener.price(message);
    }

    #hearState(room, { state, reason, until }) {
      if (!STATES.includes(state)) return;
      const words = typeof reason === "string" ? reason : "";
      this.#tell(room, { state, reason: words, until: isMoment(until) ? until : undefined });
      if (state === "waiting" && !words) this.#doubt(room, PATIENCE, { state, reason: VAIN });
    }

    // After a reconnect the server may be a second behind the page. If the page has shown its price
    // for longer, the numbers have fallen, with the server's clock. The same number is the same
    // price.
    #isBehind({ price, takenAt }, seq) {
      if (!Number.isFinite(seq) || !Number.isFinite(price?.seq)) return false;
      const isFresh = performance.now() - takenAt < FCSClient.offlineAfter * 1000;
      return seq <= price.seq && (isFresh || seq === price.seq);
    }

    #tell(room, message) {
      clearTimeout(room.doubt);
      room.state = message;
      for (const listener of room.listeners) listener.state(message);
      this.notify();
    }

    #turn(state) {
      midnight.handleEvent(); // a machine that slept may have missed it
      if (state === "connecting") return;
      this.#isLost = state !== "connected";
      for (const room of this.#rooms.values()) this.#judge(room);
      this.notify();
      if (this.#isLost) painter.run(); // a page that is put away gets no next frame
    }
  }
  const rooms = new PageRooms();

  // Modules: imported with the first element that needs one.
  const imported = new Set();
  const has = (node, selector) => node.matches?.(selector) || node.querySelector?.(selector);
  const importFor = (element) => {
    for (const [selector, address] of Object.entries(page.modules)) {
      try {
        if (imported.has(address) || !has(element, selector)) continue;
        imported.add(address);
        import(/* webpackIgnore: true */ address).catch(reportError);
      } catch { advise(`unknown selector ${selector}`); }
    }
  };

  const refresh = () => {
    page = readPage();
    edition += 1;
    for (const { settle } of present) settle();
    rooms.notify();
  };
  const isTold = ({ type, target, addedNodes }) => type === "attributes"
    || target.matches?.(BLOCK) || [...addedNodes].some((node) => has(node, BLOCK));
  new MutationObserver((changes) => {
    if (changes.some(isTold)) refresh();
    for (const { addedNodes } of changes) addedNodes.forEach(importFor);
  })
    .observe(document, { subtree: true, childList: true, attributeFilter: ["lang"] });

  const node = (tag, data, ...children) => {
    const made = document.createElement(tag);
    Object.assign(made.dataset, data);
    made.append(...children);
    return made;
  };
  // With spaces between them, for those who copy the text.
  const joined = (...parts) => parts.flatMap((one, index) => (index ? [" ", one] : [one]));
  const part = (name, ...children) => node("span", { part: name }, ...joined(...children));
  const field = (name) => {
    const made = node("span", { field: name }, UNKNOWN);
    made.translate = false;
    return made;
  };
  const label = (name) => part("label", text(name));
  // Without a value, the attribute goes.
  const set = (node, name, value) => {
    if (!value) node?.removeAttribute(name);
    else if (node && node.getAttribute(name) !== value) node.setAttribute(name, value);
  };

  // Replaces a text and keeps a selection in it: otherwise nobody could copy a price. A text of
  // another length becomes a new node: an old one that begins elsewhere counts as a layout shift.
  const replaceText = (text, words) => {
    const { from, to } = painter.selected ?? selectionNow();
    const { length } = text;
    if (from.node !== text && to.node !== text && length !== words.length) {
      text.replaceWith(words);
      return;
    }
    text.data = words;
    for (const end of [from, to]) {
      if (end.node !== text) continue;
      end.offset = end.offset === length ? words.length : Math.min(end.offset, words.length);
    }
    getSelection()?.setBaseAndExtent(from.node, from.offset, to.node, to.offset);
  };

  const writeText = (node, words) => {
    if (node.textContent === words) return;
    const text = node.firstChild;
    if (text instanceof Text && !text.nextSibling) replaceText(text, words);
    else node.textContent = words;
  };

  // An element of ours has plain attributes; other hosts, such as the rows of a table, have data-.
  const attribute = (host, name) => host.getAttribute(name) ?? host.getAttribute(`data-${name}`);
  const roomOf = (host) => ({
    symbol: attribute(host, "symbol") ?? "",
    timeframe: attribute(host, "timeframe") || page.timeframe || "1D",
  });

  // Words: writes words when they change, not when the page shows others: those may be a
  // translator's. A node may be missing from the site's own template.
  class Words {
    /** @type {WeakMap<Element, Map<string, string>>} */ #said = new WeakMap();

    /** @param {Element | null} node */
    say(node, words) {
      if (node && this.#isNew(node, "text", words)) writeText(node, words);
    }

    /** @param {Element | null} node */
    label(node, name, words) {
      if (node && this.#isNew(node, name, words)) set(node, name, words);
    }

    /** After a morph, the words that are shown may be others than those that were said. */
    forget() { this.#said = new WeakMap(); }

    #isNew(node, place, words) {
      const said = this.#said.get(node) ?? new Map();
      const isNew = said.get(place) !== words;
      this.#said.set(node, said.set(place, words));
      return isNew;
    }
  }

  const isOwn = (words) => [...ownTexts].some((english) => {
    const [before, after] = text(english, "{n}").split("{n}");
    return after === undefined ? words === before
      : words.startsWith(before) && words.endsWith(after);
  });

  // InView: the elements that a visitor can see, and what to paint when one comes into view.
  class InView {
    /** @type {WeakMap<Element, boolean>} */ #seen = new WeakMap();
    #paints = new WeakMap();
    #observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        this.#seen.set(target, isIntersecting);
        this.mark(target);
        if (isIntersecting) painter.hurry(this.#paints.get(target));
      }
    });

    has(element) { return this.#seen.get(element); }
    /** What was laid out has a size, so that the browser may skip it out of view: see fcs.css. */
    mark(element) { if (this.#seen.has(element)) set(element, "data-sized", "1"); }
    watch(element, paint) {
      this.#paints.set(element, paint);
      this.#observer.observe(element);
    }

    unwatch(element) {
      this.#observer.unobserve(element);
      this.#seen.delete(element);
    }
  }
  const inView = new InView();

  // Whether a change is a translator's, who changes words. A morph changes figures as well, or
  // writes the site's own words.
  const isTranslation = ({ type, target, attributeName }) => {
    if (type === "attributes") return ["title", "aria-label"].includes(attributeName);
    const place = target instanceof Element ? target : target.parentElement;
    const words = place?.textContent.trim();
    return Boolean(words) && !place.closest("[data-field]") && !isOwn(words);
  };

  // View: the nodes within one element. Upgrades what the server rendered; writes only what has
  // changed.
  class View {
    /** Where a host has to be to hold its room. @param {any} host @returns {unknown} */
    static home = (host) => host.isConnected;
    /** @type {Figures} */ figures;
    words = new Words();
    #page = page; #last; #isBuilt = false; #flashedAt = -Infinity; #name = UNKNOWN;

    /** @param {any} host */
    constructor(host) { this.host = host; }
    get symbol() { return roomOf(this.host).symbol; }
    get flashing() { return ""; }
    /** @returns {(Node | string)[]} */
    build() { return []; }
    /** Set what depends on the room alone. */
    dress() {}
    find(selector) { return this.host.querySelector(selector); }
    fields() { return this.host.querySelectorAll("[data-field]"); }
    begin(isUpgrade) {
      if (!this.#fill() && !isUpgrade) this.clear();
      this.mark("flash", null); // which a copy of the page may have
      this.#name = this.find("[data-field=name]")?.textContent;
      if (this.#page !== page) this.#translate();
      for (const name of ["data-palette", "item-size"]) {
        const value = this.host.closest(`[${name}]`)?.getAttribute(name);
        if (value && !CHOICES.test(value)) advise(`unknown ${name} ${value}`);
      }
      const { lang } = this.host.closest("[lang]") ?? {};
      const language = [lang, page.language].find(isLanguage);
      const { dataset: own } = this.host;
      const digits = Number(own.digits ?? 2);
      this.figures = new Figures(language, spellingOf(own), this.symbol, digits);
    }

    // What the server wrote in the page's former language. In another one, it stays.
    #translate() {
      const { dataset: own } = this.host;
      const { numbers, texts } = this.#page;
      this.#page = page;
      if (Object.keys(ENGLISH).every((name) => own[name] === numbers[name])) {
        Object.assign(own, page.numbers);
      }
      for (const label of this.host.querySelectorAll("[data-part=label]")) {
        const words = label.textContent;
        const english = Object.keys(texts).find((english) => texts[english] === words) ?? words;
        if ((texts[english] ?? english) === words) this.words.say(label, text(english));
      }
    }

    clear() {
      for (const name of ["direction", "delay", "digits", "zone"]) this.mark(name, null);
      for (const shown of this.fields()) this.blank(shown);
      this.#isBuilt = true;
      this.dress();
    }

    blank(shown) {
      this.#last = undefined;
      const { field: name } = shown.dataset;
      if (name === "name" && shown.textContent !== this.#name) return; // a morph's
      shown.removeAttribute("datetime");
      if (name === "updated") shown.removeAttribute("title");
      const isName = /^(symbol|name)$/.test(name);
      // Only the server knows more of an instrument than its symbol.
      const isSaid = name === "name" && this.find("[data-field=symbol]");
      shown.textContent = isSaid ? "" : isName ? nameOf(this.symbol) : UNKNOWN;
      const shape = shapeOf(this.symbol, name);
      if (shape) shown.dataset.shape = shape;
    }

    /** Give back what another script has taken away; everything else is up to `paint`. */
    mend() {
      inView.mark(this.host);
      if (!this.#fill() && this.#isBuilt) this.dress();
    }

    #fill() {
      const isEmpty = !this.find("[data-field]");
      if (isEmpty) {
        this.host.append(...this.build());
        this.clear();
      }
      return isEmpty;
    }

    /** @param {{ prices: any, at?: number }} message */
    paint({ prices: sent, at }) {
      const prices = numbersOf(sent);
      this.figures.digits = prices.digits ?? this.figures.digits;
      this.mark("digits", this.figures.digits);
      this.mark("delay", prices.delay > 0 ? prices.delay : null);
      this.mark("direction", prices.ch > 0 ? "up" : prices.ch < 0 ? "down" : null);
      this.#flash(prices[PRICES[this.flashing]]);
      let fault;
      for (const shown of this.fields()) {
        try { this.#show(shown, prices, at); } catch (error) {
          fault ??= error;
          writeText(shown, UNKNOWN); // the old value would be taken for the new one
        }
      }
      if (fault) throw fault;
    }

    /** Without a price: a time that the server wrote as one of today may be one of yesterday. */
    refreshDate() {
      for (const shown of this.host.querySelectorAll("time[data-field=updated]")) {
        const seconds = Date.parse(shown.dateTime) / 1000;
        if (isMoment(seconds) && daysTo(seconds)) writeText(shown, this.figures.clock(seconds));
      }
    }

    status(words) { this.words.say(this.find("[data-part=status]"), words); }

    /** Price and state in one sentence. */
    sentence({ c, chp }, words) {
      const { figures } = this;
      return `${nameOf(this.symbol)} ${figures.number(c)}, ${figures.percent(chp)}, ${words}`;
    }

    mark(name, value) { set(this.host, `data-${name}`, String(value ?? "")); }

    #show(shown, prices, at) {
      const name = shown.dataset.field;
      if (shown.translate) shown.translate = false;
      delete shown.dataset.shape;
      if (PRICES[name]) writeText(shown, this.figures.number(prices[PRICES[name]]));
      else if (OTHERS[name]) writeText(shown, OTHERS[name](this.figures, prices));
      else if (name === "updated") this.#time(shown, [prices.update, at].find(isMoment));
      else if (!/^(symbol|name)$/.test(name)) advise(`unknown field ${name}`);
    }

    #flash(value) {
      const isMove = Number.isFinite(value) && Number.isFinite(this.#last) && value !== this.#last;
      if (isMove && this.#mayFlash()) {
        this.mark("flash", value > this.#last ? "up" : "down");
        painter.tint(this);
      }
      this.#last = value;
    }

    #mayFlash() {
      const now = performance.now();
      if (reduced.matches || now - this.#flashedAt < FLASH_PAUSE_MS || !inView.has(this.host)) {
        return false;
      }
      this.#flashedAt = now;
      return true;
    }

    #time(shown, seconds) {
      if (seconds === undefined) return;
      const time = shown instanceof HTMLTimeElement ? shown : node("time", { field: "updated" });
      if (time !== shown) {
        time.translate = false;
        shown.replaceWith(time);
      }
      const moment = `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
      set(time, "datetime", moment);
      writeText(time, this.figures.clock(seconds));
      const { zone } = this.host.dataset;
      if (zone) this.words.label(time, "title", this.figures.clock(seconds, zone));
    }
  }

  // Widgets that show their symbol, which may be a link.
  class NamedView extends View {
    get flashing() { return "close"; }
    /** Of its address; null for no link, and undefined if the link is the page's own. */
    get pattern() { return attribute(this.host, "href"); }

    begin(isUpgrade) {
      super.begin(isUpgrade);
      const link = /** @type {HTMLAnchorElement | null} */ (this.find("[data-part=link]"));
      const { pattern } = this;
      if (pattern === undefined) return;
      set(link, "href", pattern?.replaceAll("{symbol}", encodeURIComponent(this.symbol)));
      // Relative addresses have the protocol of the page.
      if (link && !/^https?:$/.test(link.protocol)) set(link, "href", "");
    }

    link() { return node("a", { part: "link" }, field("symbol")); }
  }

  class TickerView extends NamedView {
    build() {
      const age = part("age", part("status"), field("updated"));
      const [day, dot] = ["svg", "circle"].map((name) =>
        document.createElementNS("http://www.w3.org/2000/svg", name));
      set(day, "data-part", "day");
      day.append(dot);
      return joined(
        part("head", part("name", this.link(), part("period")), age),
        part("price", field("close"), part("unit")),
        part("move", field("change_percent"), field("change")),
        part("range",
          part("cell", label("Low"), field("low")), day,
          part("cell", field("high"), label("High"))),
      );
    }

    begin(isUpgrade) {
      super.begin(isUpgrade);
      const unit = this.host.getAttribute("unit");
      if (unit !== null) this.words.say(this.find("[data-part=unit]"), unit);
    }

    dress() {
      const { symbol, timeframe } = roomOf(this.host);
      this.words.label(this.find("[data-field=symbol]"), "title", symbol);
      this.words.say(this.find("[data-part=period]"), periodOf(timeframe));
      this.words.say(this.find("[data-part=unit]"),
        this.host.getAttribute("unit") ?? nameOf(symbol).split("/")[1] ?? "");
      this.words.label(this.host, "role", "group");
      this.words.label(this.host, "aria-label", nameOf(symbol));
      this.#place({});
    }

    /** @param {{ prices: any, at?: number }} message */
    paint(message) {
      super.paint(message);
      this.#place(numbersOf(message.prices));
    }

    // Where the price stands between low and high.
    /** @param {{ l?: number, h?: number, c?: number }} prices */
    #place({ l = NaN, h = NaN, c = NaN }) {
      const place = Math.min(Math.max((c - l) / (h - l), 0), 1);
      set(this.find("[data-part=day] circle"), "cx", place >= 0 && `${(100 * place).toFixed(1)}%`);
    }
  }

  // Widgets in a sentence: their status interrupts it only if something is wrong.
  const whisper = (view, words) => {
    view.words.say(view.find("[data-part=status]"), words === text("live") ? "" : words);
    view.words.label(view.host, "title", `${nameOf(view.symbol)}, ${words}`);
  };

  class TagView extends NamedView {
    build() {
      const shown = joined(this.link(), field("close"), field("change_percent"));
      return [...shown, part("status")];
    }

    status(words) { whisper(this, words); }
  }

  class PriceView extends View {
    get flashing() { return attribute(this.host, "field") || "close"; }
    build() { return [field(this.flashing), part("status")]; }

    begin(isUpgrade) {
      super.begin(isUpgrade);
      const shown = this.find("[data-field]");
      if (shown.dataset.field === this.flashing) return;
      shown.dataset.field = this.flashing;
      this.blank(shown);
    }

    status(words) { whisper(this, words); }
  }

  // Live: one symbol on the page, in an element of ours or in another one, such as the row of a
  // table. Attributes are the state; a room is held while the host is on the page. What another
  // script makes of it, such as a DOM morph, is painted over in the next frame: not at once, so
  // that two scripts which contradict each other do not stop the page.
  class Live {
    /** @type {WeakMap<object, Live>} */ static #all = new WeakMap();
    /** @type {View | null} */ #view = null;
    /** @type {{ symbol: string, timeframe: string } | null} */ #held = null;
    /** @type {FCSPriceMessage | null} */ #price = null;
    /** @type {Omit<FCSStateDetail, "symbol" | "timeframe"> | null} */ #state = null;
    #at = NaN; #hasFailed = false;
    #guard = new MutationObserver((changes) => this.#mend(changes));
    #paint = () => this.guarded((view) => {
      this.#fence(() => view.mend());
      this.#fence(() => {
        if (this.#price) view.paint(this.#price);
        else view.refreshDate();
      });
      if (!this.#state) return;
      const words = this.#status(this.#state);
      view.mark("state", this.#state.state);
      view.status(words);
      if (this.#price && this.host.hasAttribute("announce")) {
        FCSElement.announce?.(this.host, view.sentence(this.#price.prices, words));
      }
    });
    #settled = () => this.#fence(() => this.#settle());
    #listener = {
      price: (message) => this.#hear(message),
      state: (message) => this.#turn(message),
      paint: this.#paint,
      settle: () => this.schedule(),
    };

    /** @param {any} host @param {typeof View} kind */
    constructor(host, kind) {
      this.host = host;
      this.kind = kind;
      Live.#all.set(host, this);
    }

    /** Each host has one. @param {any} host @param {typeof View} kind */
    static of(host, kind) { return Live.#all.get(host) ?? new Live(host, kind); }

    // After a burst of attribute changes, or of moves within the page, only the final state counts.
    schedule() { queue.add(this.#settled); }

    #settle() {
      const { host } = this;
      const { symbol, timeframe } = roomOf(host);
      importFor(host);
      const held = this.#held;
      const [token, field, ...written] = ["token", "field", "href", "unit", ...SPELLING]
        .map((name) => attribute(host, name) ?? undefined);
      const wanted = this.kind.home(host) && symbol
        ? { symbol, timeframe, token, field, written, edition } : null;
      if (JSON.stringify(held) === JSON.stringify(wanted)) return;
      const isSame = held?.symbol === wanted?.symbol && held?.timeframe === wanted?.timeframe;
      if (held && !isSame) rooms.release(held, this.#listener);
      this.#held = wanted;
      this.#mend(this.#guard.takeRecords()); // which would be lost
      this.#guard.disconnect();
      if (!wanted) {
        present.delete(this.#listener);
        ageing.watch(this.#paint, false);
        inView.unwatch(host);
        return;
      }
      present.add(this.#listener);
      inView.watch(host, this.#paint);
      this.#fence(() => this.#begin(isSame));
      this.#guard.observe(host, GUARDED);
      rooms.hold(wanted, this.#listener);
      painter.add(this.#paint);
    }

    #begin(isSame) {
      const isUpgrade = !this.#view && this.host.querySelector("[data-field]") !== null;
      const view = this.#view ??= new this.kind(this.host);
      view.begin(isSame || isUpgrade);
      if (isSame) return;
      this.#price = this.#state = null;
      this.#at = Date.parse(this.host.querySelector("time")?.dateTime ?? "") / 1000;
      const isWaiting = (this.host.dataset.state ?? "waiting") === "waiting";
      if (!isUpgrade || isWaiting) this.#turn({ state: "waiting" });
    }

    #hear(message) {
      if (message === this.#price) return painter.add(this.#paint);
      if (this.#price && !inView.has(this.host)) painter.put(this.#paint);
      else painter.add(this.#paint);
      this.#price = message;
      this.#at = [message.at, message.prices.update].find(isMoment) ?? rooms.now();
      this.#emit("fcs:price", message);
    }

    /** @param {{ state: FCSState, reason?: string, until?: number }} message */
    #turn({ state, reason = "", until }) {
      const next = { state, reason, ...(until && { until }) };
      if (JSON.stringify(next) === JSON.stringify(this.#state)) return;
      this.#state = next;
      this.guarded((view) => view.mark("state", state)); // at once: a hidden tab gets no next frame
      ageing.watch(this.#paint, state === "stale");
      painter.add(this.#paint);
      this.#emit("fcs:state", { ...roomOf(this.host), ...next });
    }

    /** @param {{ state: FCSState, reason?: string, until?: number }} current */
    #status({ state, reason, until }) {
      if (state === "offline" && String(reason).includes(RELOAD)) {
        return text("offline · reload the page");
      }
      if (state === "closed" && isMoment(until)) {
        return text("closed · opens {n}", this.#view?.figures.opening(until));
      }
      if (state === "stale") return ageOf(rooms.now() - this.#at);
      // No feed may look fresher than it is.
      const minutes = Math.ceil(Number(this.host.dataset.delay ?? 0) / 60);
      if (state === "waiting" && !this.#price && NO_DATA.includes(String(reason))) {
        return text("No data for {n}", nameOf(roomOf(this.host).symbol));
      }
      return state === "live" && minutes ? text(DELAYED, minutes) : text(state);
    }

    #mend(changes) {
      if (!changes.length) return;
      importFor(this.host);
      if (!changes.every(isTranslation)) this.#view?.words.forget();
      painter.add(this.#paint);
    }

    // What the host writes itself is not reported to its guard.
    guarded(write) {
      const changes = this.#guard.takeRecords();
      if (this.#view) this.#fence(() => write(this.#view));
      this.#guard.takeRecords();
      this.#mend(changes);
    }

    // The fault of one host stops no other.
    #fence(step) {
      try { step(); } catch (error) {
        const { localName } = this.host;
        const { symbol } = roomOf(this.host);
        if (!this.#hasFailed) console.error(`${localName} ${symbol} failed:`, error);
        this.#hasFailed = true;
      }
    }

    /**
     * @template {"fcs:price" | "fcs:state"} Type
     * @param {Type} type
     * @param {GlobalEventHandlersEventMap[Type]["detail"]} detail
     */
    #emit(type, detail) {
      this.host.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
    }
  }

  // FCSElement: an element of ours with a symbol.
  class FCSElement extends HTMLElement {
    static View = View;
    static observedAttributes =
      ["symbol", "timeframe", "token", "field", "href", "unit", "announce", ...SPELLING];
    /**
     * Says a sentence to screen readers; set by fcs-announce.js.
     * @type {((host: HTMLElement, sentence: string) => void) | undefined}
     */
    static announce;
    /** What the modules of other widgets are made of. */
    static kit = {
      FCSElement, Live, View, NamedView, TickerView, node, part, field, label, set, text, pipOf,
      writeText, inView, present, rooms, formatter, periodOf, numbers: () => page.numbers,
    };
    /** @param {string} tag */
    static define(tag, registry = customElements) { registry.define(tag, this); }

    #live = new Live(this, /** @type {typeof FCSElement} */ (this.constructor).View);

    get symbol() { return this.getAttribute("symbol") ?? ""; }
    set symbol(symbol) { this.setAttribute("symbol", symbol); }
    /** @returns {string} */
    get timeframe() { return roomOf(this).timeframe; }
    set timeframe(timeframe) { this.setAttribute("timeframe", timeframe); }

    connectedCallback() { this.#live.schedule(); }
    disconnectedCallback() { this.#live.schedule(); }
    attributeChangedCallback() { this.#live.schedule(); }
  }

  globalThis.FCSTickerElement = class FCSTickerElement extends FCSElement {
    static View = TickerView;
  };
  globalThis.FCSTagElement = class FCSTagElement extends FCSElement {
    static View = TagView;
  };
  globalThis.FCSPriceElement = class FCSPriceElement extends FCSElement {
    static View = PriceView;
    /** @returns {string} */
    get field() { return this.getAttribute("field") || "close"; }
    /** @param {FCSField} field */
    set field(field) { this.setAttribute("field", field); }
  };

  // FCSStatusElement: the connection of the page, said once.
  globalThis.FCSStatusElement = class FCSStatusElement extends HTMLElement {
    /** @param {string} tag */
    static define(tag, registry = customElements) { registry.define(tag, this); }
    static observedAttributes = ["data-state"];
    #words = new Words();
    #paint = () => {
      const known = rooms.overview();
      if (!known) return;
      const { state, seconds } = known;
      if (!this.querySelector("[data-part=status]")) this.append(part("status"));
      set(this, "data-state", state);
      const isCounting = state === "offline" && Number.isFinite(seconds);
      const words = isCounting ? text("reconnecting in {n} s", Math.ceil(seconds))
        : text(state === "closed" ? "markets closed" : state);
      this.#words.say(this.querySelector("[data-part=status]"), words);
    };

    connectedCallback() { rooms.watch(this.#paint, true); }
    disconnectedCallback() { rooms.watch(this.#paint, false); }
    // It may be a morph that has changed it.
    attributeChangedCallback() {
      this.#words.forget();
      rooms.notify();
    }
  };

  FCSTickerElement.define("fcs-ticker");
  FCSTagElement.define("fcs-tag");
  FCSPriceElement.define("fcs-price");
  FCSStatusElement.define("fcs-status");
  importFor(document);
}

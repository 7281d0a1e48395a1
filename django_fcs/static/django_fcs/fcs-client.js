// FCSClient: live prices in the browser, from the site's own socket. It has the names of the
// FCS API's own client, so that swapping the script tag is enough; docs/javascript.md lists them.
// A classic script: it sets globalThis.FCSClient, and the first one loaded wins. Everything except
// the class is internal, including its adapters: not for direct manipulation.
if (globalThis.FCSClient) {
  console.warn("adapters" in globalThis.FCSClient
    ? "fcs-client.js: loaded twice"
    : "fcs-client.js: another script has set FCSClient");
} else {
  const current = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  /** @type {HTMLScriptElement | null} */
  const tag = document.querySelector("script[data-fcs-socket]");
  // A module or a bundle has no attributes of its own.
  const dataset = (current?.dataset.fcsSocket ? current : tag ?? current)?.dataset ?? {};
  if (!dataset.fcsSocket && !/\bfcs[-.]/.test(current?.src ?? "")) {
    console.warn("fcs-client.js: loaded without data-fcs-socket; uses /ws/fcs/");
  }
  const ADDRESS = dataset.fcsSocket || "/ws/fcs/";
  const OFFLINE_AFTER = Number(dataset.fcsOfflineAfter) || 10;
  const MERGE = "fcs.merge.v1";
  const HEARTBEAT_MS = 25_000;
  const QUIET_MS = Math.min(10, OFFLINE_AFTER) * 1000;
  const DEAD_MS = (OFFLINE_AFTER + 5) * 1000;
  const DEAD_V4_MS = 60_000; // it is not known whether every v4 server answers pings
  const SPREAD_MS = 5_000;
  const LONGEST_DELAY_MS = 30_000;
  const FIRST_ANSWER_MS = 5_000;
  const LONGEST_ANSWER_MS = 60_000;
  const LOOK_MS = 1000;
  const ASLEEP_MS = Math.max(5_000, QUIET_MS); // a busy page is late by less
  const THROTTLED_MS = 60_000; // browsers look at the timers of a hidden tab once a minute
  const LONGEST_TIMER_MS = 2 ** 31 - 1; // a longer timer fires at once
  const TIMEFRAMES = ["1", "5", "15", "30", "60", "240", "1D", "1W", "1M"];

  // What the client uses of the browser; tests replace it.
  const adapters = {
    WebSocket: globalThis.WebSocket,
    now: () => performance.timeOrigin + performance.now(), // monotonic: ages must not jump
    date: () => Date.now(), // goes on while the machine sleeps, which the other may not
    random: () => Math.random(),
    setTimeout: (ring, ms) => setTimeout(ring, ms),
    clearTimeout: (id) => clearTimeout(id),
    setInterval: (ring, ms) => setInterval(ring, ms),
    clearInterval: (id) => clearInterval(id),
  };

  const keyOf = (symbol, timeframe) => `${String(symbol).toUpperCase()}_${timeframe}`;

  const canonical = (timeframe) => {
    const [, minutes] = /^(\d+)(?:m|min)?$/.exec(timeframe) ?? [];
    const [, hours] = /^(\d+)h$/i.exec(timeframe) ?? [];
    const [, unit] = /^1?(M|[DdWw])$/.exec(timeframe) ?? []; // 1m is a minute, 1M a month
    if (hours) return String(Number(hours) * 60);
    return minutes ?? (unit ? `1${unit.toUpperCase()}` : timeframe);
  };

  // Not every object can become a text. In an error, `message` has the words; elsewhere it may be
  // anything.
  const isObject = (value) => typeof value === "object" && value !== null;
  const WORDS = ["type", "symbol", "timeframe", "room", "short"];
  const isMessage = (message) => isObject(message)
    && !WORDS.some((name) => isObject(message[name]))
    && !(message.type === "error" && isObject(message.message));

  // Alarm: one timer that can be set, set again and cleared.
  class Alarm {
    /** @type {number | null} */ #id = null;

    get isSet() { return this.#id !== null; }

    set(ms, ring) {
      this.clear();
      if (!(ms <= LONGEST_TIMER_MS)) return;
      this.#id = adapters.setTimeout(() => { this.#id = null; ring(); }, ms);
    }

    clear() {
      if (this.isSet) adapters.clearTimeout(this.#id);
      this.#id = null;
    }
  }

  // Connection: one socket, frames in and frames out. After close() it reports nothing more: on a
  // dead network the socket's own close event comes late, when the next connection may be open.
  class Connection {
    #socket;

    constructor(address, protocols, { onmessage, onerror, onclose }) {
      this.#socket = new adapters.WebSocket(address, protocols);
      this.#socket.onmessage = ({ data }) => this.#read(data, onmessage);
      this.#socket.onerror = onerror;
      this.#socket.onclose = onclose;
    }

    get isMerge() { return this.#socket.protocol === MERGE; }

    send(message) {
      const isOpen = this.#socket.readyState === 1;
      if (isOpen) this.#socket.send(JSON.stringify(message));
      return isOpen;
    }

    close() {
      this.#socket.onmessage = this.#socket.onerror = this.#socket.onclose = null;
      this.#socket.close(1000);
    }

    #read(text, onmessage) {
      let frame;
      try { frame = JSON.parse(text); } catch { return; } // dropped, as the vendor's client does
      for (const message of Array.isArray(frame) ? frame : [frame]) {
        if (!this.#socket.onmessage) return; // a callback has closed it within this frame
        if (!isMessage(message)) continue;
        try { onmessage(message); } catch (error) { reportError(error); }
      }
    }
  }

  // Reconnector: counts the attempts, and spreads them so as not to flood a restarted server.
  class Reconnector {
    tries = 0;
    /** When the next attempt is due; NaN if none is. */ dueAt = NaN;
    #alarm = new Alarm();

    schedule(code, firstDelay, attempt) {
      const delay = this.#delay(code, firstDelay);
      this.dueAt = adapters.now() + delay;
      this.#alarm.set(delay, attempt);
      this.tries += 1;
    }

    reset() {
      this.#alarm.clear();
      this.dueAt = NaN;
      this.tries = 0;
    }

    #delay(code, firstDelay) {
      const isSpread = [1001, 1005, 1006, 1011, 1012, 1013].includes(code)
        || (code >= 4000 && code < 4500);
      if (this.tries === 0) return isSpread ? adapters.random() * SPREAD_MS : firstDelay;
      return adapters.random() * Math.min(LONGEST_DELAY_MS, (firstDelay || 1000) * 2 ** this.tries);
    }
  }

  // SleepWatch: looks at the clock every second. A look that comes much too late means that the
  // machine slept: its sockets look open, but they are dead, or full of old prices.
  class SleepWatch {
    /** @type {number | null} */ #id = null;
    #lookedAt = 0; #woke;
    /** Whether the machine slept while the tab was hidden. */
    hasSlept = false;

    constructor(woke) { this.#woke = woke; }

    start() {
      if (this.#id !== null) return; // the next look may be the one that comes late
      this.#lookedAt = adapters.date();
      this.#id = adapters.setInterval(() => this.#look(), LOOK_MS);
    }

    stop() {
      if (this.#id !== null) adapters.clearInterval(this.#id);
      this.#id = null;
    }

    #look() {
      const late = adapters.date() - this.#lookedAt - LOOK_MS;
      this.#lookedAt = adapters.date();
      // Browsers delay the timers of a hidden tab, and not its messages.
      if (document.hidden) this.hasSlept ||= late > THROTTLED_MS;
      else if (late > ASLEEP_MS) this.#woke();
    }
  }

  // Heartbeat: sends a JSON ping every 25 s and in each silence. Detects a socket that looks open
  // but is dead. Only an unanswered ping proves it: a server with nothing to send is silent, too.
  class Heartbeat {
    #beat = new Alarm(); #silence = new Alarm(); #deadline = 0; #heardAt = 0; #events;

    constructor(events) { this.#events = events; }
    /** Whether the silence is longer than any timer here would allow, were timers on time. */
    get isOverdue() { return adapters.date() - this.#heardAt > this.#deadline; }
    awaitWelcome(deadline) {
      this.#deadline = deadline;
      this.#heardAt = adapters.date();
      this.#silence.set(deadline, this.#events.dead);
    }

    start() {
      this.#beat.set(HEARTBEAT_MS, () => this.#ping());
      this.heard();
    }

    heard() {
      this.#heardAt = adapters.date();
      this.#silence.set(QUIET_MS, () => {
        this.#silence.set(this.#deadline - QUIET_MS, this.#events.dead);
        this.#ping();
      });
    }

    stop() {
      this.#beat.clear();
      this.#silence.clear();
    }

    #ping() {
      this.#beat.set(HEARTBEAT_MS, () => this.#ping());
      this.#events.ping();
    }
  }

  // Tokens: those that the server has sent in place of the page's own, which expire. A script may
  // join with its own again, as a widget does after a move within the page.
  class Tokens {
    #renewed = new Map(); // symbol -> the newest token, and the page's own that it replaces

    newest(symbol, token) {
      const renewed = this.#renewed.get(symbol);
      return renewed?.own.has(token) ? renewed.token : token;
    }

    renew(symbol, token, tokens) {
      const { token: last, own } = this.#renewed.get(symbol) ?? { own: new Set() };
      for (const one of tokens) if (one !== last) own.add(one);
      this.#renewed.set(symbol, { token, own });
    }
  }

  // Rooms: the wanted set, the joined set, and joins, which are repeated until they are answered.
  class Rooms {
    /** @type {Map<string, { symbol: string, timeframe: string }>} */ joined = new Map();
    #wanted = new Map(); // key -> room; its state: new, asked, joined, refused on this connection
    #isOpen = false; #tokens = new Tokens(); #send; #onrefused;

    constructor(send, onrefused) {
      this.#send = send;
      this.#onrefused = onrefused;
    }

    join(symbol, timeframe, given) {
      const token = this.#tokens.newest(symbol, given);
      const key = keyOf(symbol, timeframe);
      const room = this.#wanted.get(key)
        ?? { key, symbol, timeframe, state: "new", alarm: new Alarm() };
      const hasNewToken = token !== undefined && token !== room.token;
      if (hasNewToken) room.token = token;
      this.#wanted.set(key, room);
      const isDue = ["new", "refused"].includes(room.state)
        || (hasNewToken && room.state === "asked");
      if (this.#isOpen && isDue) this.#ask(room);
    }

    leave(symbol, timeframe) {
      this.#forget(keyOf(symbol, timeframe));
      if (this.#isOpen) this.#send({ type: "leave_symbol", symbol, timeframe });
    }

    removeAll() {
      for (const key of this.#wanted.keys()) this.#forget(key);
      if (this.#isOpen) this.#send({ type: "remove_all" });
    }

    rejoinAll() {
      if (this.#isOpen) for (const room of this.#wanted.values()) this.#ask(room);
    }

    open() {
      this.#isOpen = true;
      this.rejoinAll();
    }

    close() {
      this.#isOpen = false;
      for (const room of this.#wanted.values()) this.#settle(room, "new");
    }

    hear(message) {
      if (message.type === "error") this.#refuse(message);
      else if (message.type === "token") this.#renew(message);
      else if (message.short === "joined_room") this.#confirm(message);
    }

    #renew({ symbol, token }) {
      const rooms = [...this.#wanted.values()].filter((room) => room.symbol === symbol);
      if (!rooms.length || typeof token !== "string") return;
      this.#tokens.renew(symbol, token, rooms.map((room) => room.token));
      for (const room of rooms) room.token = token;
    }

    #ask(room, patience = FIRST_ANSWER_MS) {
      this.#settle(room, "asked");
      const { symbol, timeframe, token } = room;
      this.#send({ type: "join_symbol", symbol, timeframe, token });
      room.alarm.set(patience, () => this.#ask(room, Math.min(2 * patience, LONGEST_ANSWER_MS)));
    }

    #settle(room, state) {
      const { key, symbol, timeframe } = room;
      room.alarm.clear();
      room.state = state;
      if (state === "joined") this.joined.set(key, { symbol, timeframe });
      if (state === "refused") this.joined.delete(key);
    }

    #forget(key) {
      this.#wanted.get(key)?.alarm.clear();
      this.#wanted.delete(key);
      this.joined.delete(key);
    }

    #inState(...states) {
      return [...this.#wanted.values()].filter((room) => states.includes(room.state));
    }

    // The vendor's `symbol` has no exchange; only `room` has the full name. The answer may spell
    // the timeframe differently from the join.
    #confirm({ room: name, symbol, timeframe }) {
      const parts = /^(.+?)_([^_]+)(?:_\d+s)?$/.exec(name ?? "");
      const [, named = symbol, period = timeframe] = parts ?? [];
      const full = String(named).toUpperCase();
      const isMeant = (room) => canonical(room.timeframe) === canonical(period)
        && `:${room.symbol.toUpperCase()}`.endsWith(`:${full}`);
      const exact = this.#wanted.get(keyOf(full, timeframe));
      const isOpen = exact && exact.state !== "joined"; // an error may have refused too many
      const room = isOpen ? exact : this.#inState("asked").find(isMeant);
      if (room) this.#settle(room, "joined");
    }

    // `rate_limited` is not an answer to a join; any other error that names a room is. The site
    // may also end a room that is joined.
    #refuse({ short, message }) {
      if (short === "rate_limited") return;
      const states = short === "room_not_allowed" ? ["asked", "joined"] : ["asked"];
      const words = String(message).toUpperCase().split(/[\s'"`,;()]+/)
        .map((word) => word.replace(/[.:]+$/, ""));
      for (const room of this.#inState(...states)) {
        const isNamed = words.includes(room.symbol.toUpperCase())
          || words.includes(room.key.toUpperCase());
        const isBad = short === "bad_timeframe" && !TIMEFRAMES.includes(canonical(room.timeframe));
        if (isNamed || isBad) this.#turnAway(room, short, message);
      }
    }

    #turnAway(room, short, message) {
      const { symbol, timeframe, refusal } = room;
      this.#settle(room, "refused");
      room.refusal = message; // logged once: each new connection asks again
      if (refusal !== message) {
        console.warn(`FCSClient: ${symbol} ${timeframe} was refused, ${short}: ${message}`);
      }
      this.#onrefused({ symbol, timeframe, short, message });
    }
  }

  // TabWatch: reports when the tab has been hidden for long or is put away, when it is back, and
  // when the network has changed. Most browsers keep a page for the back button only if it closes
  // its socket when it is put away.
  class TabWatch {
    static #ofTab = ["visibilitychange", "freeze", "resume"];
    static #ofPage = ["online", "offline", "pagehide", "pageshow"];
    /** @type {number | null} */ #hiddenAt = null;
    #alarm = new Alarm(); #minutes = 3; #events;

    constructor(events) { this.#events = events; }
    get minutes() { return this.#minutes; }

    set minutes(minutes) {
      this.#minutes = minutes;
      this.#arm();
    }

    start() {
      for (const type of TabWatch.#ofTab) document.addEventListener(type, this);
      for (const type of TabWatch.#ofPage) addEventListener(type, this);
      this.#look();
    }

    stop() {
      for (const type of TabWatch.#ofTab) document.removeEventListener(type, this);
      for (const type of TabWatch.#ofPage) removeEventListener(type, this);
      this.#hiddenAt = null;
      this.#alarm.clear();
    }

    handleEvent(event) {
      const { type } = event;
      if (type === "pagehide" || type === "freeze") return this.#events.away();
      this.#look();
      if (type === "online" || type === "offline") return this.#events.changed();
      if (type === "visibilitychange") {
        if (!document.hidden) this.#events.seen();
        return;
      }
      const isNew = type === "pageshow" && !(/** @type {PageTransitionEvent} */ (event)).persisted;
      if (!isNew) this.#events.back();
    }

    #look() {
      this.#hiddenAt = document.hidden ? this.#hiddenAt ?? adapters.now() : null;
      this.#arm();
    }

    #arm() {
      this.#alarm.clear();
      if (this.#hiddenAt === null || !(this.#minutes > 0)) return;
      const due = this.#hiddenAt + this.#minutes * 60_000;
      this.#alarm.set(Math.max(0, due - adapters.now()), this.#events.hidden);
    }
  }

  globalThis.FCSClient = class FCSClient extends EventTarget {
    static adapters = adapters;
    /** @readonly */ static offlineAfter = OFFLINE_AFTER;
    static #hasWarned = false;

    /** @type {(() => void) | null} */ onconnected = null;
    /** @type {(() => void) | null} */ onreconnect = null;
    /** @type {((message: FCSMessage) => void) | null} */ onmessage = null;
    /** @type {((event: CloseEvent) => void) | null} */ onclose = null;
    /** @type {((error: Event | Error) => void) | null} */ onerror = null;
    reconnectDelay = 3000; reconnectlimit = 5; isreconnect = false; showLogs = false;

    /** @type {Connection | null} */ #connection = null;
    /** @type {number | null} */ #framesPerSecond = null;
    /** @type {FCSConnectionState} */ #state = "closed";
    #url; #openings = []; #offset = 0; #refusal = ""; #warned = ""; #isAway = false;
    #rooms = new Rooms(
      (message) => this.send(message),
      (refusal) => this.#tell("refused", refusal),
    );
    #reconnector = new Reconnector();
    #heartbeat = new Heartbeat({ ping: () => this.#send("ping"), dead: () => this.#dropSilent() });
    #sleep = new SleepWatch(() => this.#renew("the machine slept"));
    #tab = new TabWatch({
      hidden: () => this.#drop("paused", "tab hidden"),
      away: () => this.#putAway(),
      seen: () => this.#see(),
      back: () => this.#comeBack(),
      changed: () => this.#renew("the network has changed"),
    });

    /**
     * @param {string | null} [apiKey]
     * @param {string | null} [url]
     */
    constructor(apiKey, url) {
      super();
      this.#url = url;
      if (!apiKey || FCSClient.#hasWarned) return;
      FCSClient.#hasWarned = true;
      console.warn("FCSClient: remove the API key; the server has it");
    }

    get isConnected() { return this.#state === "connected"; }
    get activeSubscriptions() { return this.#rooms.joined; }
    /** Seconds until the next attempt to connect; NaN if none is scheduled. */
    get secondsToReconnect() {
      if (this.#state !== "waiting") return NaN;
      return Math.max(0, (this.#reconnector.dueAt - adapters.now()) / 1000);
    }
    get countreconnects() { return this.#reconnector.tries; }
    get focusTimeout() { return this.#tab.minutes; }
    set focusTimeout(minutes) { this.#tab.minutes = minutes; }
    get framesPerSecond() { return this.#framesPerSecond; }
    set framesPerSecond(frames) {
      this.#framesPerSecond = frames;
      if (this.isConnected) this.#sendRate();
    }

    connect() {
      if (this.isConnected) return Promise.resolve();
      this.isreconnect = false;
      /** @type {Promise<void>} */
      const welcomed = new Promise((resolve, reject) => this.#openings.push({ resolve, reject }));
      welcomed.catch(() => {}); // a page that listens to onerror need not catch as well
      if (this.#state === "connecting") return welcomed;
      this.#tab.start();
      this.#reconnector.reset();
      this.#attempt();
      return welcomed;
    }

    disconnect() {
      this.#tab.stop();
      this.#drop("closed", "disconnected");
    }

    /**
     * @param {string} symbol
     * @param {string | number} timeframe
     * @param {string} [token]
     */
    join(symbol, timeframe, token) {
      if (String(symbol).includes(":") && timeframe) {
        this.#rooms.join(String(symbol), String(timeframe), token);
        return;
      }
      const given = `given: ${symbol}, ${timeframe}`;
      this.#call("onerror", new TypeError(`join("FX:EURUSD", "1D") is right; ${given}`));
    }

    /**
     * @param {string} symbol
     * @param {string | number} timeframe
     */
    leave(symbol, timeframe) {
      if (symbol && timeframe) this.#rooms.leave(String(symbol), String(timeframe));
    }

    removeAll() { this.#rooms.removeAll(); }
    rejoinAll() { this.#rooms.rejoinAll(); }
    /** @param {object} message */
    send(message) { return this.#connection?.send(message) ?? false; }
    serverTime() { return adapters.now() + this.#offset; }

    #attempt() {
      this.#refusal = "";
      this.#isAway = this.#sleep.hasSlept = false;
      try {
        this.#connection = new Connection(this.#address(), this.#url ? [] : [MERGE], {
          onmessage: (message) => this.#receive(message),
          onerror: (event) => this.#call("onerror", event),
          onclose: (event) => this.#closed(event),
        });
      } catch (error) {
        return this.#end(error); // an address that can never open
      }
      this.#heartbeat.awaitWelcome(this.#url ? DEAD_V4_MS : DEAD_MS);
      this.#enter("connecting");
    }

    #address() {
      const address = new URL(this.#url || ADDRESS, location.href);
      address.protocol = address.protocol.replace(/^http/, "ws");
      address.hash = "";
      return address.href;
    }

    #receive(message) {
      if (this.isConnected) this.#heartbeat.heard();
      if (message.type === "ping") this.#send("pong");
      else if (message.type === "welcome") this.#welcome(message);
      else if (message.type === "beat") this.#setClock(message);
      else if (message.type !== "pong") this.#hand(message);
    }

    #hand(message) {
      if (message.type === "error" && !this.isConnected) {
        this.#fail(new Error(message.message ?? message.short));
      }
      if (message.type === "error" && message.short === "refused") this.#refusal = message.message;
      this.#rooms.hear(message);
      this.#tell("message", message);
      this.#call("onmessage", message);
    }

    #welcome(message) {
      this.#setClock(message);
      if (this.isConnected) return;
      this.#warned = "";
      this.#reconnector.reset();
      this.#heartbeat.start();
      if (this.#framesPerSecond !== null) this.#sendRate();
      this.#rooms.open();
      for (const { resolve } of this.#openings.splice(0)) resolve();
      this.#enter("connected");
      this.#call(this.isreconnect ? "onreconnect" : "onconnected");
    }

    #setClock(message) {
      const { timestamp } = message;
      // The latest that a Date can hold is 8.64e15.
      const isDate = Number.isFinite(timestamp) && timestamp > 0 && timestamp < 8.64e15;
      if (isDate) this.#offset = timestamp - adapters.now();
    }

    #send(type) { this.send({ type, timestamp: Math.round(adapters.now()) }); }

    #sendRate() {
      if (!this.#connection?.isMerge) return;
      this.send({ type: "rate", frames_per_second: this.#framesPerSecond });
    }

    #closed(event) {
      // Daphne closes without the reason, which has come as an error before.
      const why = `${event.code} ${event.reason || this.#refusal}`;
      this.#release(new Error(`FCSClient: closed with ${why}`));
      const isFinal = event.code >= 4500 && event.code < 5000;
      if (!isFinal) this.#warn(why);
      if (isFinal) {
        this.#end(new Error(`FCSClient: refused for good with ${why}`));
      } else if (this.#reconnector.tries < this.reconnectlimit) {
        this.#reconnector.schedule(event.code, this.reconnectDelay, () => this.#attempt());
        this.#enter("waiting");
      } else if (this.reconnectlimit > 0) {
        this.#enter("paused");
        const attempts = `${this.reconnectlimit} attempts`;
        this.#call("onerror", new Error(`FCSClient: gave up after ${attempts}`));
      } else this.#end(null);
      this.#call("onclose", event);
    }

    // Once for each reason: every new connection may be refused again.
    #warn(why) {
      if (!this.#refusal || this.#warned === why) return;
      this.#warned = why;
      console.warn(`FCSClient: refused with ${why}`);
    }

    #end(error) {
      this.#tab.stop();
      this.#fail(error);
      this.#enter("closed");
      if (error) console.warn(error.message);
      if (error) this.#call("onerror", error);
    }

    #drop(state, reason) {
      const connection = this.#connection;
      this.#reconnector.reset();
      connection?.close();
      this.#release(new Error(`FCSClient: ${reason}`));
      this.#enter(state);
      if (!connection) return;
      this.#call("onclose", new CloseEvent("close", { code: 1000, reason, wasClean: true }));
    }

    #dropSilent() {
      this.#connection?.close();
      this.#closed(new CloseEvent("close", { code: 1006, reason: "silent" }));
    }

    #release(error) {
      if (this.isConnected) this.isreconnect = true;
      this.#connection = null;
      this.#heartbeat.stop();
      this.#rooms.close();
      this.#fail(error);
    }

    #fail(error) {
      for (const { reject } of this.#openings.splice(0)) reject(error);
    }

    #putAway() {
      if (this.#state === "closed") return;
      this.#isAway ||= this.#state !== "paused";
      this.#drop("paused", "page hidden");
    }

    #comeBack() {
      if (this.#state !== "connecting") this.#renew("page hidden"); // two events come
    }

    #see() {
      const isDoubtful = this.#heartbeat.isOverdue || this.#sleep.hasSlept;
      if (isDoubtful) this.#renew("tab hidden");
      else this.#return();
    }

    // Nothing is known of the connection, so nothing that it has sent counts as current.
    #renew(reason) {
      if (this.#connection) this.#drop("waiting", reason);
      this.#return();
    }

    #return() {
      // A hidden tab that was put away has not been hidden for too long.
      const isPaused = this.#state === "paused" && (this.#isAway || !document.hidden);
      if (this.#state !== "waiting" && !isPaused) return;
      this.#reconnector.reset();
      this.#attempt();
    }

    // Callers set everything else before this: a listener may call any method.
    /** @param {FCSConnectionState} state */
    #enter(state) {
      if (this.showLogs) console.log(`FCSClient: ${state}`);
      this.#state = state;
      if (state === "closed" || state === "paused") this.#sleep.stop();
      else this.#sleep.start();
      this.#tell("state", { state });
    }

    /**
     * @template {keyof FCSClientEventMap} Type
     * @param {Type} type
     * @param {FCSClientEventMap[Type]["detail"]} detail
     */
    #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

    // An exception in a page's callback is reported, and the next message still comes.
    #call(name, ...args) {
      try { this[name]?.(...args); } catch (error) { reportError(error); }
    }
  };
}

// A page without a server: the fuzzer is the other end of the socket, and says when time passes.
// It runs before the scripts of the site.
{
  const FIELDS = ["o", "h", "l", "c", "a", "b"];
  const NAMES = ["open", "high", "low", "close", "ask", "bid"];
  const OTHERS = ["spread", "change", "change_percent", "volume"];
  const numbersOf = (prices) => FIELDS.map((name) =>
    (typeof prices[name] === "number" ? String(prices[name]) : null));

  // Everything that a page would write into its console as an error.
  let problems = [];
  const note = (...words) => {
    problems.push(words.map((word) => word?.stack ?? String(word)).join(" "));
  };
  console.error = note;
  addEventListener("error", ({ error, message }) => note(error ?? message));
  addEventListener("unhandledrejection", ({ reason }) => note("unhandled rejection:", reason));

  let shift = 0;
  const now = performance.now.bind(performance);
  performance.now = () => now() + shift;

  const paints = [];
  globalThis.requestAnimationFrame = (paint) => paints.push(paint);

  // All elements are in view: the others show their prices by the clock of the machine.
  globalThis.IntersectionObserver = /** @type {any} */ (class {
    constructor(tell) { this.tell = tell; }
    observe(target) { queueMicrotask(() => this.tell([{ target, isIntersecting: true }])); }
    unobserve() {}
  });

  /** @type {Socket | undefined} */
  let newest;
  class Socket {
    readyState = 0; protocol = "fcs.merge.v1";

    constructor() {
      newest = this;
      queueMicrotask(() => {
        this.readyState = 1;
        this.hear([{ type: "welcome", timestamp: Date.now() }]);
      });
    }

    hear(messages) { this.onmessage?.({ data: JSON.stringify(messages) }); }
    close() { this.readyState = 3; }

    send(text) {
      const { type, symbol, timeframe } = JSON.parse(text);
      const room = `${symbol}_${timeframe}_0s`;
      const joined = { type: "message", short: "joined_room", room, symbol, timeframe };
      const answer = { join_symbol: joined, ping: { type: "pong" } }[type];
      if (answer) queueMicrotask(() => this.hear([answer]));
    }
  }
  globalThis.WebSocket = /** @type {any} */ (Socket);

  // Waits until all microtasks have run, and until rejections are reported.
  const { port1, port2 } = new MessageChannel();
  const task = () => new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(null);
  });

  let heard = [];
  document.addEventListener("fcs:price", ({ detail }) =>
    heard.push([detail.symbol, detail.timeframe, numbersOf(detail.prices)]));

  const sentIn = (text) => {
    let frame;
    try { frame = JSON.parse(text); } catch { return []; }
    return (Array.isArray(frame) ? frame : [frame])
      .filter((message) => message?.type === "price" && message.prices
        && ["string", "number"].includes(typeof message.symbol)
        && ["string", "number"].includes(typeof message.timeframe))
      .map(({ symbol, timeframe, prices }) =>
        [String(symbol), String(timeframe), numbersOf(prices)]);
  };

  const shownIn = (element) => {
    const fields = [...element.querySelectorAll("[data-field]")]
      .map((shown) => [shown.dataset.field, shown.textContent]);
    return {
      place: [element.symbol, element.timeframe],
      fields: Object.fromEntries(
        fields.filter(([name]) => NAMES.includes(name) || OTHERS.includes(name))),
      digits: Math.min(Math.max(Math.trunc(Number(element.dataset.digits)) || 0, 0), 20),
      state: element.dataset.state,
      status: element.querySelector("[data-part=status]").textContent,
    };
  };

  const deliver = async (text) => {
    newest?.onmessage?.({ data: text });
    await task();
    // A frame that lasts long leaves a part of its elements to the next one.
    while (paints.length) for (const paint of paints.splice(0)) paint(performance.now());
    await task();
    const answer = {
      sent: sentIn(text), heard, problems,
      shown: [...document.querySelectorAll("fcs-ticker, fcs-price")].map(shownIn),
    };
    [heard, problems] = [[], []];
    return answer;
  };

  const failed = (error) => ({ sent: [], heard: [], shown: [], problems: [String(error.stack)] });

  // Delivers frames, and some time after each another one; a text is passed on faster than objects.
  globalThis.feed = async (inputs) => {
    const answers = [];
    for (const [text, next, pause] of inputs) {
      const answer = await deliver(text).catch(failed);
      shift += pause;
      answers.push([answer, await deliver(next).catch(failed)]);
    }
    return JSON.stringify(answers);
  };
}

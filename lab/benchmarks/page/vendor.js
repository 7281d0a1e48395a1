// A page after the pattern of the README of the vendor's client: one message a frame, an id for
// each value, and innerHTML. It writes what the widgets of this project show, with formatters that
// are made once.
(() => {
  const SPREAD = /^FX:/;
  const numbers = [0, 2, 5].map((digits) => [digits, new Intl.NumberFormat("en", {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  })]);
  const formats = Object.fromEntries(numbers);
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  const clock = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" });

  const put = (id, text) => {
    // eslint-disable-next-line no-restricted-properties -- this is the pattern that is measured
    document.getElementById(id).innerHTML = text;
  };

  const show = (symbol, p) => {
    const digits = SPREAD.test(symbol) ? 5 : 2;
    const number = (value) => formats[digits].format(value);
    const change = p.c - p.o;
    const percent = (100 * change) / p.o;
    const sign = change > 0 ? "+" : "";
    put(`${symbol}-time`, clock.format(new Date(p.update * 1000)));
    put(`${symbol}-status`, "live");
    put(`${symbol}-close`, number(p.c));
    put(`${symbol}-change`, sign + number(change));
    put(`${symbol}-percent`, `${sign}${formats[2].format(percent)} %`);
    put(`${symbol}-open`, number(p.o));
    put(`${symbol}-high`, number(p.h));
    put(`${symbol}-low`, number(p.l));
    put(`${symbol}-last`, SPREAD.test(symbol)
      ? `${((p.a - p.b) * 10_000).toFixed(1)} pips` : compact.format(p.v));
    put(`${symbol}-bid`, number(p.b));
    put(`${symbol}-ask`, number(p.a));
    put(`${symbol}-percent-2`, `${sign}${formats[2].format(percent)} %`);
    document.getElementById(symbol).className = change > 0 ? "card up" : "card down";
  };

  const socket = new WebSocket(`ws://${location.host}/ws`);
  socket.onmessage = (event) => {
    const data = JSON.parse(event.data);
    if (data.type === "welcome") {
      for (const card of document.querySelectorAll(".card")) {
        const join = { type: "join_symbol", symbol: card.id, timeframe: "1D" };
        socket.send(JSON.stringify(join));
      }
    } else if (data.type === "price" && data.prices) {
      switch (data.prices.mode) {
        case "initial":
        case "candle":
          show(data.symbol, data.prices);
          break;
      }
    }
  };
})();

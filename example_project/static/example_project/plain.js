// A market's page without our elements: FCSClient as in the vendor's quick start.
{
  const select = document.getElementById("timeframe");
  const badge = document.getElementById("badge");
  const found = [...document.querySelectorAll("[data-symbol]")];
  const cards = new Map(found.map((card) => [card.dataset.symbol, card]));
  const language = document.documentElement.lang;
  const places = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });
  const volumes = new Intl.NumberFormat(language, { notation: "compact", ...places(2) });
  const last = new Map();

  const written = (name, value, digits = 2) => name === "v" ? volumes.format(value)
    : value.toLocaleString(language, places(digits));

  const connection = (name, text) => {
    badge.dataset.connection = name;
    badge.textContent = text;
  };

  const write = (card, prices, names) => {
    for (const cell of card.querySelectorAll("[data-price]")) {
      const name = cell.dataset.price;
      if (!names.includes(name) || prices[name] === undefined) continue;
      cell.textContent = written(name, prices[name], prices.digits);
    }
  };

  const turn = (card, symbol, price) => {
    const direction = price >= last.get(symbol) ? "up" : "down";
    if (last.has(symbol)) card.querySelector(".last").dataset.direction = direction;
    last.set(symbol, price);
  };

  const join = () => {
    last.clear();
    for (const [symbol, card] of cards) {
      for (const cell of card.querySelectorAll("[data-price]")) cell.textContent = "–";
      delete card.querySelector(".last").dataset.direction;
      card.querySelector("[data-timeframe]").textContent = select.value;
      client.join(symbol, select.value);
    }
  };

  const client = new FCSClient();

  client.onmessage = ({ type, symbol, timeframe, prices }) => {
    if (type !== "price" || timeframe !== select.value) return;
    const card = cards.get(symbol);
    switch (prices.mode) {
      case "initial":
      case "candle":
        write(card, prices, ["o", "h", "l", "c", "v", "a", "b"]);
        if (prices.c !== undefined) turn(card, symbol, prices.c);
        break;
      case "askbid":
        write(card, prices, ["a", "b"]);
        break;
    }
  };

  client.onconnected = () => connection("connected", "Connected");
  client.onreconnect = () => connection("connected", "Reconnected");
  client.onclose = () => connection("disconnected", "Disconnected");
  client.onerror = () => connection("disconnected", "Error");

  // Join even if the first attempt fails: the client keeps the joins for its next one.
  client.connect().then(join, join);

  select.addEventListener("change", () => {
    client.removeAll();
    join();
  });
}

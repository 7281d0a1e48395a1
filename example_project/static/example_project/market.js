// A market's page: the timeframe of all its elements, and whether prices reach the page.
{
  const select = document.getElementById("timeframe");
  const badge = document.getElementById("badge");
  const TEXTS = { connected: "Connected", disconnected: "Disconnected" };

  const show = (connection) => {
    if (badge.dataset.connection === connection) return;
    badge.dataset.connection = connection;
    badge.textContent = TEXTS[connection];
  };

  select.addEventListener("change", () => {
    for (const element of document.querySelectorAll("fcs-ticker, fcs-price")) {
      element.timeframe = select.value;
    }
  });

  // A waiting room does not show whether the connection works.
  document.addEventListener("fcs:price", () => show("connected"));
  document.addEventListener("fcs:state", ({ detail: { state } }) => {
    if (state !== "waiting") show(state === "offline" ? "disconnected" : "connected");
  });
}

// The dashboard: a row of the watch list brings its chart in place. The row is a link to the same
// page with another chart, which the server prints; without this script, the link is followed.
{
  const watch = document.getElementById("watch");
  const pane = document.getElementById("chart");
  const chart = () => pane.querySelector("fcs-chart");
  let request = new XMLHttpRequest();

  const mark = () => {
    const shown = chart().getAttribute("symbol");
    for (const row of watch.querySelectorAll("tr[data-symbol]")) {
      const link = row.querySelector("a");
      if (row.dataset.symbol === shown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  // What the visitor has chosen stays.
  const exchange = (next, address) => {
    const old = chart();
    next.setAttribute("type", old.getAttribute("type"));
    old.replaceWith(document.adoptNode(next));
    history.replaceState(null, "", address);
    mark();
    if (pane.getBoundingClientRect().bottom < innerHeight / 4) pane.scrollIntoView();
  };

  const show = (link) => {
    const address = new URL(link);
    address.hash = "";
    address.searchParams.set("timeframe", chart().getAttribute("timeframe"));
    request.abort();
    request = new XMLHttpRequest();
    request.open("GET", address);
    // Trusted types forbid to make nodes of a text; this response is a document already.
    request.responseType = "document";
    request.onload = ({ target: { response } }) => {
      const next = response?.querySelector("#chart fcs-chart");
      if (next) exchange(next, address);
      else location.assign(link);
    };
    request.send();
  };

  watch.addEventListener("click", (event) => {
    const { target, ctrlKey, metaKey, shiftKey, altKey } = event;
    const link = target.closest("tr[data-symbol]")?.querySelector("a[href]");
    if (!link || ctrlKey || metaKey || shiftKey || altKey || !getSelection().isCollapsed) return;
    event.preventDefault();
    show(link.href);
  });

  mark();
}

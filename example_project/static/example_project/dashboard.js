// The dashboard: a row of the watch list is shown in the chart, without another page.
{
  const chart = document.querySelector("fcs-chart");
  const rows = document.querySelector(".watch fcs-table");

  const mark = () => {
    for (const row of rows.querySelectorAll("tr[data-symbol]")) {
      row.toggleAttribute("data-shown", row.dataset.symbol === chart.getAttribute("symbol"));
    }
  };

  rows.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-symbol]");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    chart.toggleAttribute("token", false);
    if (row.dataset.token) chart.setAttribute("token", row.dataset.token);
    // The attribute: the element may still be loading.
    chart.setAttribute("symbol", row.dataset.symbol);
    history.replaceState(null, "", `?symbol=${encodeURIComponent(row.dataset.symbol)}`);
    mark();
  });

  mark();
}

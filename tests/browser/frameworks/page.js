// A page of React over HTML that the server has rendered, for test_frameworks.py.
import { createElement, useState } from "react";
import { hydrateRoot } from "react-dom/client";

// What the scripts write is theirs: React neither compares nor changes it.
const theirs = (html) =>
  ({ suppressHydrationWarning: true, dangerouslySetInnerHTML: { __html: html } });

function Page({ family }) {
  const [symbol, setSymbol] = useState("FX:EURUSD");
  const change = () => setSymbol("FX:GBPUSD");
  return createElement("section", {},
    createElement("button", { onClick: change, title: symbol }, "Change"),
    createElement("fcs-ticker", { symbol, ...theirs("") }),
    createElement("div", theirs(family)));
}

globalThis.hydrate = (place, family) =>
  hydrateRoot(place, createElement(Page, { family }), { onRecoverableError: console.error });

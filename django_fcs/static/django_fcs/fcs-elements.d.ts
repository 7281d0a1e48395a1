// Types of fcs-elements.js: a classic script, so all of this is global.
/// <reference path="./fcs-client.d.ts" />

type FCSState = "waiting" | "live" | "stale" | "closed" | "offline";

type FCSField =
  | "symbol" | "name" | "close" | "open" | "high" | "low" | "volume" | "ask" | "bid" | "spread"
  | "change" | "change_percent" | "updated";

/** Detail of `fcs:state`. `reason` is for operators: in English, and often empty. */
interface FCSStateDetail {
  symbol: string;
  timeframe: string;
  state: FCSState;
  reason: string;
  /** When a closed market opens, unix seconds, if that is known. */
  until?: number;
}

/** Members of all elements with a symbol. Types only: the script does not export their base class. */
interface FCSElement extends HTMLElement {
  /** `EXCHANGE:TICKER`; a new one joins its own room and removes the old price. */
  symbol: string;
  /** As joined; the site's `FCS_TIMEFRAME` if the attribute is missing. */
  timeframe: string;
}

interface FCSElementConstructor<Element extends FCSElement> {
  prototype: Element;
  new (): Element;
  define(tag: string, registry?: CustomElementRegistry): void;
}

/** `<fcs-ticker>`: a card with the last price. */
interface FCSTickerElement extends FCSElement {}
declare var FCSTickerElement: FCSElementConstructor<FCSTickerElement>;

/** `<fcs-tag>`: a symbol with its price and change, for use in a sentence. */
interface FCSTagElement extends FCSElement {}
declare var FCSTagElement: FCSElementConstructor<FCSTagElement>;

/** `<fcs-price>`: one value, for use in a sentence. */
interface FCSPriceElement extends FCSElement {
  /** As the page has written it, which may be anything; `close` if the attribute is missing. */
  get field(): string;
  set field(field: FCSField);
}
declare var FCSPriceElement: FCSElementConstructor<FCSPriceElement>;

/** `<fcs-status>`: the connection of the page. */
interface FCSStatusElement extends HTMLElement {}
declare var FCSStatusElement: {
  prototype: FCSStatusElement;
  new (): FCSStatusElement;
  define(tag: string, registry?: CustomElementRegistry): void;
};

/** `<fcs-sparkline>`: the last hour as a line. A module defines it with the first one on the page. */
interface FCSSparklineElement extends FCSElement {}

/** `<fcs-spread>`: bid and ask. A module defines it with the first one on the page. */
interface FCSSpreadElement extends FCSElement {}

/**
 * `<fcs-chart>`: candles that go on live. A module defines it with the first one on the page, and
 * further modules come when it is near the window and when a visitor works with it.
 */
interface FCSChartElement extends FCSElement {}

/** `<fcs-tape>`: a row of prices. A module defines it with the first one on the page. */
interface FCSTapeElement extends HTMLElement {}
/** `<fcs-table>`: a watch list. It is live once fcs-table.js has been imported. */
interface FCSTableElement extends HTMLElement {}

interface HTMLElementTagNameMap {
  "fcs-tape": FCSTapeElement;
  "fcs-spread": FCSSpreadElement;
  "fcs-sparkline": FCSSparklineElement;
  "fcs-status": FCSStatusElement;
  "fcs-ticker": FCSTickerElement;
  "fcs-tag": FCSTagElement;
  "fcs-price": FCSPriceElement;
  "fcs-chart": FCSChartElement;
  "fcs-converter": HTMLElement;
  "fcs-heatmap": HTMLElement;
  "fcs-movers": HTMLElement;
  "fcs-table": FCSTableElement;
}

/** The attributes of all elements with a symbol, as JSX writes them. */
interface FCSAttributes {
  symbol: string;
  timeframe?: string | number;
  token?: string;
  announce?: boolean | "";
}

interface FCSTagAttributes extends FCSAttributes {
  /** An address, in which `{symbol}` stands for the symbol. */
  href?: string;
}

interface FCSTickerAttributes extends FCSTagAttributes {
  "item-size"?: "regular" | "compact";
  unit?: string;
}

interface FCSPriceAttributes extends FCSAttributes {
  field?: FCSField;
}

interface FCSTapeAttributes {
  direction?: "horizontal" | "vertical";
  "item-size"?: "regular" | "compact";
}

interface FCSMoversAttributes {
  /** How many rows each side shows: 1 to 20. */
  count?: number | string;
}

interface FCSChartAttributes extends FCSAttributes {
  /** The timeframes to choose from, with blanks between them. */
  timeframes?: string;
  type?: "candles" | "bars" | "line" | "area";
  volume?: boolean | "";
  /** How many bars to begin with: 10 to 1000. */
  range?: number | string;
  /** `viewer`, `exchange`, `UTC` or a zone such as `Europe/Berlin`. */
  zone?: string;
  /** Of the plot in CSS pixels: 160 to 800. */
  height?: number | string;
  /** Prices to mark, as JSON: `[1.09, {"price": 1.1, "label": "Target"}]`. */
  lines?: string;
}

/** The rows are a `<table>` within, as JSX writes it. */
interface FCSTableAttributes {
  /** The columns of rows that a script adds without cells, with blanks between them. */
  columns?: string;
  timeframe?: string | number;
  /** An address, in which `{symbol}` stands for the symbol. */
  href?: string;
}

// For JSX that takes its elements from the global namespace. React has its own: fcs-react.d.ts.
declare namespace JSX {
  interface IntrinsicElements {
    "fcs-ticker": FCSTickerAttributes & FCSGlobalAttributes;
    "fcs-tag": FCSTagAttributes & FCSGlobalAttributes;
    "fcs-price": FCSPriceAttributes & FCSGlobalAttributes;
    "fcs-sparkline": Omit<FCSAttributes, "announce"> & FCSGlobalAttributes;
    "fcs-spread": FCSTagAttributes & FCSGlobalAttributes;
    "fcs-tape": FCSTapeAttributes & FCSGlobalAttributes;
    "fcs-status": FCSGlobalAttributes;
    "fcs-chart": FCSChartAttributes & FCSGlobalAttributes;
    "fcs-converter": FCSGlobalAttributes;
    "fcs-heatmap": FCSGlobalAttributes;
    "fcs-movers": FCSMoversAttributes & FCSGlobalAttributes;
    "fcs-table": FCSTableAttributes & FCSGlobalAttributes;
  }
}

/** Attributes that JSX passes to any element. */
interface FCSGlobalAttributes {
  id?: string;
  class?: string;
  className?: string;
  slot?: string;
  key?: string | number;
  ref?: unknown;
  children?: unknown;
}

interface GlobalEventHandlersEventMap {
  "fcs:price": CustomEvent<FCSPriceMessage>;
  "fcs:state": CustomEvent<FCSStateDetail>;
}

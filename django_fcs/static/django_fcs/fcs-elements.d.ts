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

/** `<fcs-table>`: a watch list. It is live once fcs-table.js has been imported. */
interface FCSTableElement extends HTMLElement {}

interface HTMLElementTagNameMap {
  "fcs-status": FCSStatusElement;
  "fcs-ticker": FCSTickerElement;
  "fcs-tag": FCSTagElement;
  "fcs-price": FCSPriceElement;
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

/** The rows are a `<table>` within, as JSX writes it. */
interface FCSTableAttributes {
  /** The columns of rows that a script adds without cells, with blanks between them. */
  columns?: string;
  timeframe?: string | number;
  filter?: boolean | "";
  /** An address, in which `{symbol}` stands for the symbol. */
  href?: string;
  "item-size"?: "regular" | "compact";
}

// For JSX that takes its elements from the global namespace. React has its own: fcs-react.d.ts.
declare namespace JSX {
  interface IntrinsicElements {
    "fcs-ticker": FCSTickerAttributes & FCSGlobalAttributes;
    "fcs-tag": FCSTagAttributes & FCSGlobalAttributes;
    "fcs-price": FCSPriceAttributes & FCSGlobalAttributes;
    "fcs-status": FCSGlobalAttributes;
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

// Types of fcs-client.js, for editors and type checkers; a page does not need this file.
// Ambient, because the script is a classic one: `/// <reference path="…/fcs-client.d.ts" />`.

/** A candle with ask and bid. A missing field is not known. */
interface FCSCandle {
  /** Open time of the candle, unix seconds. */
  t?: number;
  o?: number;
  h?: number;
  l?: number;
  c?: number;
  v?: number;
  /** Ask and bid. */
  a?: number;
  b?: number;
  /** The feed's own time of the tick, unix seconds. */
  update?: number;
  /** Previous close; change against it (or the open) and the same in percent. */
  pc?: number;
  ch?: number;
  chp?: number;
  /** Decimals to show. */
  digits?: number;
  /** Seconds by which the feed is delayed. */
  delay?: number;
}

interface FCSPrices extends FCSCandle {
  mode?: "initial" | "candle" | "askbid" | "close";
}

interface FCSProfile extends Partial<Record<keyof FCSCandle, undefined>> {
  mode: "profile";
  profile: Record<string, unknown>;
}

interface FCSPriceMessage {
  type: "price";
  symbol: string;
  timeframe: string;
  prices: FCSPrices | FCSProfile;
  /** Rises with each price message of a room. */
  seq?: number;
  /** When the price arrived from the feed, unix seconds on the server's clock. */
  at?: number;
}

interface FCSNoticeMessage {
  type: "message";
  short: "joined_room" | (string & {});
  success?: boolean;
  room?: string;
  symbol?: string;
  timeframe?: string;
  message?: string;
}

/** `refused` is about the whole socket, which the server then closes. */
type FCSErrorShort =
  | "bad_message"
  | "bad_symbol"
  | "bad_timeframe"
  | "room_not_allowed"
  | "too_many_rooms"
  | "rate_limited"
  | "refused"
  | (string & {});

interface FCSErrorMessage {
  type: "error";
  short: FCSErrorShort;
  message?: string;
}

interface FCSStateMessage {
  type: "state";
  symbol: string;
  timeframe: string;
  state: "waiting" | "live" | "stale" | "closed" | "offline";
  reason?: string;
  /** When a closed market opens, unix seconds, if that is known. */
  until?: number;
}

/** A new token for a symbol. The client joins with it from then on. */
interface FCSTokenMessage {
  type: "token";
  symbol: string;
  token: string;
}

interface FCSRateMessage {
  type: "rate";
  frames_per_second: number;
}

/** Open time in unix seconds, open, high, low, close and, if the feed has one, volume. */
type FCSCandleRow = [t: number, o: number, h: number, l: number, c: number, v?: number | null];

/** Candles of a room: the answer to a request, or those that the stream has repaired. */
interface FCSCandlesMessage {
  type: "candles";
  symbol: string;
  timeframe: string;
  /** The oldest first. */
  candles: FCSCandleRow[];
  /** Whether there are older ones. */
  more: boolean;
  /** Spans whose candles are missing, and those whose candles came later; unix seconds. */
  missing: [from: number, to: number][];
  repaired: [from: number, to: number][];
  /** Why there are not more; may be empty. */
  note: string;
}

type FCSMessage =
  | FCSCandlesMessage
  | FCSPriceMessage
  | FCSNoticeMessage
  | FCSErrorMessage
  | FCSStateMessage
  | FCSTokenMessage
  | FCSRateMessage;

/** A wanted room that the server has refused, spelled as it was joined. */
interface FCSRefusal {
  symbol: string;
  timeframe: string;
  short: FCSErrorShort;
  /** The server's reason, for the developers of the page. */
  message?: string;
}

/** waiting: for the next attempt. paused: until the tab or the network is back. */
type FCSConnectionState = "closed" | "connecting" | "connected" | "waiting" | "paused";

interface FCSClientEventMap {
  message: CustomEvent<FCSMessage>;
  refused: CustomEvent<FCSRefusal>;
  state: CustomEvent<{ state: FCSConnectionState }>;
}

// A `var`, because only that makes a property of `globalThis`.
declare var FCSClient: {
  prototype: FCSClient;
  /**
   * Without a url: the site's own socket, with many messages in a frame. The key is ignored and
   * never sent.
   */
  new (apiKey?: string | null, url?: string | null): FCSClient;
  /** Seconds of silence before a price counts as offline, as set by the script tag. */
  readonly offlineAfter: number;
};

interface FCSClient extends EventTarget {
  onconnected: (() => void) | null;
  onreconnect: (() => void) | null;
  onmessage: ((message: FCSMessage) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((error: Event | Error) => void) | null;

  /** Milliseconds. */
  reconnectDelay: number;
  /** 0: do not retry. Infinity: for ever. */
  reconnectlimit: number;
  /** Minutes in a hidden tab before the connection is closed; 0: never. */
  focusTimeout: number;
  /** Frames a second to request from the site's socket; null: the server decides. */
  framesPerSecond: number | null;
  showLogs: boolean;

  readonly isConnected: boolean;
  readonly activeSubscriptions: Map<string, { symbol: string; timeframe: string }>;
  readonly countreconnects: number;
  /** Until the next attempt to connect; NaN if none is scheduled. */
  readonly secondsToReconnect: number;
  isreconnect: boolean;

  connect(): Promise<void>;
  disconnect(): void;
  join(symbol: string, timeframe: string | number, token?: string): void;
  leave(symbol: string, timeframe: string | number): void;
  removeAll(): void;
  rejoinAll(): void;
  send(message: object): boolean;
  /** Milliseconds since 1970 on the server's clock. */
  serverTime(): number;

  addEventListener<K extends keyof FCSClientEventMap>(
    type: K,
    listener: (event: FCSClientEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof FCSClientEventMap>(
    type: K,
    listener: (event: FCSClientEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

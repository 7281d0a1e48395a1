// Never runs: the type checker reads it, without a framework.
export const right = [
  <fcs-ticker symbol="FX:EURUSD" timeframe="60" token="…" class="wide" />,
  <fcs-price symbol="FX:EURUSD" field="bid">1.08412</fcs-price>,
  <fcs-chart symbol="FX:EURUSD" timeframe="5" type="bars" volume="" zone="exchange" />,
];

export const wrong = [
  // @ts-expect-error: a widget needs a symbol
  <fcs-ticker timeframe="60" />,
  // @ts-expect-error: no such field
  <fcs-price symbol="FX:EURUSD" field="last" />,
  // @ts-expect-error: no such attribute
  <fcs-ticker symbol="FX:EURUSD" field="bid" />,
  // @ts-expect-error: no such kind of chart
  <fcs-chart symbol="FX:EURUSD" type="kagi" />,
];

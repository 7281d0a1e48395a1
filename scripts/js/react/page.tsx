// Never runs: the type checker reads it with the types of React.
import { useRef } from "react";

export function Right() {
  const ticker = useRef<FCSTickerElement>(null);
  return (
    <p className="prices">
      <fcs-ticker ref={ticker} symbol="FX:EURUSD" timeframe={60} className="wide" />
      <fcs-chart symbol="FX:EURUSD" type="area" range={75} height={240} lines="[1.09]" />
      <fcs-price key="bid" symbol="FX:EURUSD" field="bid">1.08412</fcs-price>
    </p>
  );
}

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

// The elements in the JSX of React 19: `import "./fcs-react"` once, by the path that you keep it at.
/// <reference path="./fcs-elements.d.ts" />
import type { DetailedHTMLProps, HTMLAttributes } from "react";

type Props<Element extends HTMLElement> = DetailedHTMLProps<HTMLAttributes<Element>, Element>;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "fcs-ticker": Props<FCSTickerElement> & FCSTickerAttributes;
      "fcs-tag": Props<FCSTagElement> & FCSTagAttributes;
      "fcs-price": Props<FCSPriceElement> & FCSPriceAttributes;
      "fcs-sparkline": Props<FCSSparklineElement> & Omit<FCSAttributes, "announce">;
      "fcs-spread": Props<FCSSpreadElement> & FCSTagAttributes;
      "fcs-tape": Props<FCSTapeElement> & FCSTapeAttributes;
      "fcs-status": Props<FCSStatusElement>;
      "fcs-chart": Props<FCSChartElement> & FCSChartAttributes;
      "fcs-converter": Props<HTMLElement>;
      "fcs-heatmap": Props<HTMLElement>;
      "fcs-movers": Props<HTMLElement> & FCSMoversAttributes;
      "fcs-table": Props<FCSTableElement> & FCSTableAttributes;
    }
  }
}

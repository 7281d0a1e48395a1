// What a page does that it should not: it runs in the page, before the page's own scripts.
"use strict";

{
  const looks = { shift: 0, moved: [], reports: [] };
  globalThis.looks = looks;

  const named = (node) => {
    const element = node instanceof Element ? node : node?.parentElement;
    if (!element) return "(a node that has gone)";
    const own = (it) =>
      it.localName +
      (it.id ? `#${it.id}` : "") +
      [...it.classList].map((name) => `.${name}`).join("") +
      ["part", "field", "column", "symbol"]
        .filter((name) => name in it.dataset)
        .map((name) => `[data-${name}="${it.dataset[name]}"]`)
        .join("");
    const marks = "[symbol], [data-symbol], [data-part], section, main";
    const around = element.parentElement?.closest(marks);
    return around ? `${own(around)} ${own(element)}` : own(element);
  };

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      looks.shift += entry.value;
      looks.moved.push(...entry.sources.map(({ node }) => named(node)));
    }
  }).observe({ type: "layout-shift", buffered: true });

  addEventListener("securitypolicyviolation", (event) => {
    const { violatedDirective, blockedURI, sourceFile, lineNumber } = event;
    looks.reports.push(`${violatedDirective}: ${blockedURI} in ${sourceFile}:${lineNumber}`);
  });

  const isWithinScroller = (element) => {
    for (let it = element.parentElement; it && it !== document.body; it = it.parentElement)
      if (getComputedStyle(it).overflowX !== "visible") return true;
    return false;
  };

  /** Return what leaves the page sideways, if no scroller of its own holds it. */
  looks.overflow = () => {
    const { clientWidth, scrollWidth } = document.scrollingElement;
    const isOutside = (element) => {
      const { left, right, width, height } = element.getBoundingClientRect();
      const isInside = right <= clientWidth + 0.5 && left >= -0.5;
      return width && height && !isInside && element.checkVisibility();
    };
    const outside = [...document.body.querySelectorAll("*")]
      .filter((element) => isOutside(element) && !isWithinScroller(element))
      .map(named);
    return scrollWidth > clientWidth ? [`page of ${scrollWidth} px`, ...outside] : outside;
  };

  /** Show every part of the page once. */
  looks.scrollThrough = async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    for (let top = 0; top < document.scrollingElement.scrollHeight; top += innerHeight) {
      scrollTo(0, top);
      for (let count = 0; count < 6; count += 1) await frame();
    }
    scrollTo(0, 0);
    await frame();
  };
}

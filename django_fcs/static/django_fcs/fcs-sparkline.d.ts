// Types of fcs-sparkline.js, a module. Importing it is enough: it continues each line of the page.

interface FCSLine {
  /** The path of the line, and that of its base; empty without a price. */
  line: string;
  base: string;
  /** The last known point, null without a price. */
  end: { x: number; y: number } | null;
}

/**
 * What the line looks like. `recent` are the prices of the 60 minutes before the running one, the
 * oldest first; what is no price is a hole. The base is at `level`, or where the line begins.
 */
export function draw(recent: unknown[], last: unknown, level?: unknown): FCSLine;

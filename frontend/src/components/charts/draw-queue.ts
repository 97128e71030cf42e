/** Charts are drawn a few per frame, so that many that change at once do not hold up the page. */

/** Of the 16 that a frame has; the rest is for scripts and for the browser itself. */
const BUDGET_MS = 8;

const waiting = new Map<object, () => void>();
let isScheduled = false;

/** Draw soon, in the order of asking; of several drawings of one chart only the last is done. */
export function drawSoon(chart: object, draw: () => void): void {
  waiting.set(chart, draw);
  schedule();
}

/** The chart is gone. */
export function drawNever(chart: object): void {
  waiting.delete(chart);
}

function schedule(): void {
  if (isScheduled || waiting.size === 0) return;
  isScheduled = true;
  requestAnimationFrame(work);
}

function work(): void {
  isScheduled = false;
  const began = performance.now();
  for (const [chart, draw] of waiting) {
    waiting.delete(chart);
    draw();
    if (performance.now() - began > BUDGET_MS) break;
  }
  schedule();
}

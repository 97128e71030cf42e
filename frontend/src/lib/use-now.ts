import { useSyncExternalStore } from 'react';

/** One timer for every clock on the page. */
const listeners = new Set<() => void>();
let timer: number | undefined;
let current = Date.now();

function tick(): void {
  current = Date.now();
  listeners.forEach((listener) => {
    listener();
  });
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    current = Date.now();
    timer = window.setInterval(tick, 1000);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.clearInterval(timer);
  };
}

/** The time in milliseconds, advancing once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => current);
}

import { useDeferredValue } from 'react';

/**
 * False in the first drawing of a screen and true right after it. What waits for it is made piece by
 * piece, so that the part of a large screen that is seen first comes first, and can be used.
 */
export function useAfterwards(): boolean {
  return useDeferredValue(true, false);
}

import { useEffect, useState, type RefObject } from 'react';

/** How far outside of the window something counts as seen, so that it is ready when it comes. */
const MARGIN = '200px';

/** Whether an element can be seen, or nearly. */
export function useOnScreen(element: RefObject<Element | null>): boolean {
  const [isOnScreen, setOnScreen] = useState(true);
  useEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        setOnScreen(entries.at(-1)?.isIntersecting ?? true);
      },
      { rootMargin: MARGIN },
    );
    observer.observe(element.current);
    return () => {
      observer.disconnect();
    };
  }, [element]);
  return isOnScreen;
}

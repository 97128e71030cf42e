import { useEffect } from 'react';
import { strings } from '@/strings';

/** Name the browser's tab after the screen. */
export function usePageTitle(page: string): void {
  useEffect(() => {
    document.title = strings.app.title(page);
  }, [page]);
}

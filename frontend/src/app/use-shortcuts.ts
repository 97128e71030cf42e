import { useHotkeys, useLocalStorage } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useEffectEvent, useRef } from 'react';
import { SCREENS } from './screens';

/** A second key that comes later than this is a key of its own. */
const SEQUENCE_MS = 1_500;
const TYPING = 'input, textarea, select, [contenteditable=true], [role=dialog]';

/** Whether keys without Ctrl do something; some people's tools press them by accident. */
export function useSingleKeys() {
  return useLocalStorage({ key: 'roundhouse-single-keys', defaultValue: true });
}

interface ShortcutActions {
  openPalette: () => void;
  openHelp: () => void;
}

/** Whether a key is for something else: for an input, a dialog, or the browser. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  return event.target instanceof Element && event.target.closest(TYPING) !== null;
}

/** Put the focus into the search of the screen, if it has one. */
function focusSearch(event: KeyboardEvent): void {
  const search = document.querySelector<HTMLInputElement>('main input[type=search]');
  if (search === null) return;
  event.preventDefault();
  search.focus();
}

/** Every shortcut of the application; `shortcut-help.tsx` lists them. */
export function useShortcuts({ openPalette, openHelp }: ShortcutActions): void {
  const navigate = useNavigate();
  const [hasSingleKeys] = useSingleKeys();
  const lead = useRef<{ key: string; at: number } | null>(null);
  // Also while something is being typed.
  useHotkeys([['mod+K', openPalette]], []);

  const press = useEffectEvent((event: KeyboardEvent) => {
    if (!hasSingleKeys || isTaken(event)) return;
    const isSecond = lead.current !== null && event.timeStamp - lead.current.at < SEQUENCE_MS;
    lead.current = null;
    if (isSecond) {
      const screen = SCREENS.find(({ key }) => key === event.key);
      if (screen) void navigate({ to: screen.to });
      return;
    }
    switch (event.key) {
      case 'g':
        lead.current = { key: 'g', at: event.timeStamp };
        return;
      case 'n':
        void navigate({ to: '/new' });
        return;
      case '?':
        openHelp();
        return;
      case '/':
        focusSearch(event);
    }
  });

  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      press(event);
    };
    window.addEventListener('keydown', listener);
    return () => {
      window.removeEventListener('keydown', listener);
    };
  }, []);
}

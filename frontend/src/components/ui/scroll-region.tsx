import { ScrollArea } from '@mantine/core';
import type { ReactNode } from 'react';

interface ScrollRegionProps {
  label: string;
  maxHeight?: number;
  children: ReactNode;
}

/** A part that scrolls by itself, also by keyboard. */
export function ScrollRegion({ label, maxHeight, children }: ScrollRegionProps) {
  return (
    <ScrollArea.Autosize
      mah={maxHeight}
      viewportProps={{ tabIndex: 0, role: 'group', 'aria-label': label }}
    >
      {children}
    </ScrollArea.Autosize>
  );
}

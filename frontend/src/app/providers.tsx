import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider, type QueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { theme } from './theme';

/** The key is read by `public/color-scheme.js` too. */
const colorSchemes = localStorageColorSchemeManager({ key: 'roundhouse-color-scheme' });

interface ProvidersProps {
  queries: QueryClient;
  nonce: string;
  /** `test` leaves out what needs a layout, which jsdom has not. */
  env?: 'default' | 'test';
  children: ReactNode;
}

export function Providers({ queries, nonce, env = 'default', children }: ProvidersProps) {
  return (
    <MantineProvider
      theme={theme}
      env={env}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemes}
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" limit={3} />
        {children}
      </QueryClientProvider>
    </MantineProvider>
  );
}

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
  children: ReactNode;
}

export function Providers({ queries, nonce, children }: ProvidersProps) {
  return (
    <MantineProvider
      theme={theme}
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

import { createMemoryHistory, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import { createQueryClient } from '@/api/query-client';
import { Providers } from '@/app/providers';
import { createAppRouter } from '@/app/router';

/** The whole application at an address, against the answers of `server.ts`. */
export function renderApp(address: string) {
  const queries = createQueryClient(() => undefined);
  // A failed request is shown at once; trying again is tested by itself.
  queries.setDefaultOptions({ queries: { ...queries.getDefaultOptions().queries, retry: false } });
  const router = createAppRouter(queries, createMemoryHistory({ initialEntries: [address] }));
  render(
    <Providers queries={queries} nonce="" env="test">
      <RouterProvider router={router} />
    </Providers>,
  );
  return { queries, router };
}

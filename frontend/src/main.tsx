import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './styles/tokens.css';
import './styles/global.css';

import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueryClient } from '@/api/query-client';
import { meQuery } from '@/api/session';
import { readNonce } from '@/app/nonce';
import { Providers } from '@/app/providers';
import { createAppRouter } from '@/app/router';

const queries = createQueryClient(() => {
  const { pathname, href } = router.state.location;
  queries.removeQueries({ queryKey: meQuery.queryKey });
  if (pathname === '/sign-in') return;
  void router.navigate({ to: '/sign-in', search: { next: href, expired: true } });
});
const router = createAppRouter(queries);

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no #root element.');
// The screen is fetched while it is still asked who is signed in.
const [matchedRoutes] = router.getMatchedRoutes(router.latestLocation.pathname);
for (const route of matchedRoutes) void router.loadRouteChunk(route);
createRoot(root).render(
  <StrictMode>
    <Providers queries={queries} nonce={readNonce()}>
      <RouterProvider router={router} />
    </Providers>
  </StrictMode>,
);

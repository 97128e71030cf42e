import { noop, type QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  type RouterHistory,
} from '@tanstack/react-router';
import { asApiError } from '@/api/errors';
import { runHistoryQuery, runQuery } from '@/api/runs';
import { meQuery } from '@/api/session';
import { catalogueQuery, specSchemaQuery } from '@/api/spec';
import { Loading } from '@/components/ui/feedback';
import {
  readAuditSearch,
  readCatalogueSearch,
  readCompareSearch,
  readNewRunSearch,
  readRunListSearch,
  readRunSearch,
  readSettingsSearch,
  readSignInSearch,
} from '@/lib/url-state';
import { strings } from '@/strings';
import { AppLayout } from './layout';
import { CrashPage, NotFoundPage, RootLayout } from './pages';

export interface RouterContext {
  queries: QueryClient;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({ component: RootLayout });

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: readSignInSearch,
  component: lazyRouteComponent(() => import('@/features/session/sign-in-page'), 'SignInPage'),
});

/** Everything that only those who are signed in may see. */
const memberRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'member',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queries.query({ ...meQuery, staleTime: 'static' });
    } catch (error) {
      if (asApiError(error).status !== 401) throw error;
      throw redirect({ to: '/sign-in', search: { next: location.href } });
    }
  },
  component: AppLayout,
});

const homeRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/',
  component: lazyRouteComponent(() => import('@/features/home/home-page'), 'HomePage'),
});

const runsRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/runs',
  validateSearch: readRunListSearch,
  component: lazyRouteComponent(() => import('@/features/runs/run-list-page'), 'RunListPage'),
});

const runRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/runs/$runId',
  validateSearch: readRunSearch,
  // Asked for while the screen is on its way; not for a link that is only pointed at.
  loader: ({ context: { queries }, params: { runId }, preload }) => {
    if (preload) return;
    queries.query(runQuery(runId)).catch(noop);
    queries.query(runHistoryQuery(runId)).catch(noop);
    queries.query(specSchemaQuery).catch(noop);
    queries.query(catalogueQuery).catch(noop);
  },
  component: lazyRouteComponent(() => import('@/features/runs/run-page'), 'RunPage'),
});

const compareRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/compare',
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import('@/features/compare/compare-page'), 'ComparePage'),
});

const catalogueRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/catalogue',
  validateSearch: readCatalogueSearch,
  component: lazyRouteComponent(
    () => import('@/features/catalogue/catalogue-page'),
    'CataloguePage',
  ),
});

const entryRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/catalogue/$section/$kind',
  component: lazyRouteComponent(() => import('@/features/catalogue/entry-page'), 'EntryPage'),
});

const sweepsRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/sweeps',
  component: lazyRouteComponent(() => import('@/features/sweeps/sweep-list-page'), 'SweepListPage'),
});

const newSweepRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/sweeps/new',
  validateSearch: readNewRunSearch,
  component: lazyRouteComponent(() => import('@/features/sweeps/new-sweep-page'), 'NewSweepPage'),
});

const sweepRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/sweeps/$jobId',
  component: lazyRouteComponent(() => import('@/features/sweeps/sweep-page'), 'SweepPage'),
});

const sitesRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/sites',
  component: lazyRouteComponent(() => import('@/features/sites/site-list-page'), 'SiteListPage'),
});

const siteRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/sites/$siteId',
  component: lazyRouteComponent(() => import('@/features/sites/site-page'), 'SitePage'),
});

const newRunRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/new',
  validateSearch: readNewRunSearch,
  component: lazyRouteComponent(() => import('@/features/jobs/new-run-page'), 'NewRunPage'),
});

const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/invitation',
  component: lazyRouteComponent(
    () => import('@/features/session/invitation-page'),
    'InvitationPage',
  ),
});

const settingsRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/settings',
  validateSearch: readSettingsSearch,
  component: lazyRouteComponent(() => import('@/features/settings/settings-page'), 'SettingsPage'),
});

const projectRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/projects/$projectId',
  component: lazyRouteComponent(() => import('@/features/settings/project-page'), 'ProjectPage'),
});

const auditRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/audit',
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import('@/features/settings/audit-page'), 'AuditPage'),
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  invitationRoute,
  memberRoute.addChildren([
    homeRoute,
    runsRoute,
    runRoute,
    compareRoute,
    newRunRoute,
    settingsRoute,
    projectRoute,
    auditRoute,
    sweepsRoute,
    newSweepRoute,
    sweepRoute,
    catalogueRoute,
    entryRoute,
    sitesRoute,
    siteRoute,
  ]),
]);

export function createAppRouter(queries: QueryClient, history?: RouterHistory) {
  return createRouter({
    routeTree,
    ...(history && { history }),
    context: { queries },
    defaultPreload: 'intent',
    defaultPendingComponent: () => <Loading label={strings.app.loading} />,
    defaultErrorComponent: CrashPage,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
    // Only what the screens know: anything else in an address is dropped, not passed on.
    search: { strict: true },
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

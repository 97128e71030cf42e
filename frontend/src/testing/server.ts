import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import {
  catalogue,
  events,
  makeClient,
  makeComparison,
  makeListItem,
  makeRound,
  makeRun,
  makeSweep,
  makeValidation,
  me,
  specSchema,
} from './fixtures';
import { makeSite } from './site-fixture';

/** Addresses of the API, whatever the page's origin is. */
export function api(path: string): string {
  return `*/api/v1/${path}`;
}

export function problem(status: number, code: string, fields: Record<string, string[]> = {}) {
  return HttpResponse.json({ code, message: `It went wrong: ${code}.`, fields }, { status });
}

const run = makeRun();

/** A server on which one run is going on; a test replaces the answers that it is about. */
export const server = setupServer(
  http.get(api('auth/me/'), () => HttpResponse.json(me)),
  http.get(api('auth/options/'), () =>
    HttpResponse.json({
      single_sign_on: null,
      may_request: false,
      passkeys: true,
      mails_invitations: false,
    }),
  ),
  http.get(api('auth/csrf/'), () => HttpResponse.json({ csrf_token: 'token' })),
  http.get(api('sweeps/'), () =>
    HttpResponse.json({ next: null, previous: null, results: [makeSweep()] }),
  ),
  http.get(api('sites/'), () =>
    HttpResponse.json({ next: null, previous: null, results: [makeSite()] }),
  ),
  http.get(api('sites/:id/'), () => HttpResponse.json(makeSite())),
  http.get(api('sites/:id/:list/'), () =>
    HttpResponse.json({ next: null, previous: null, results: [] }),
  ),
  http.get(api('jobs/:id/sweep/'), () => HttpResponse.json(makeSweep())),
  http.get(api('spec/schema/'), () => HttpResponse.json(specSchema)),
  http.get(api('catalogue/'), () => HttpResponse.json(catalogue)),
  http.post(api('spec/validate/'), () => HttpResponse.json(makeValidation())),
  http.get(api('runs/'), () =>
    HttpResponse.json({ next: null, previous: null, results: [makeListItem()] }),
  ),
  http.get(api('runs/facets/'), () =>
    HttpResponse.json({
      states: [{ value: 'running', count: 1 }],
      methods: [{ value: 'fedavg', count: 1 }],
      datasets: [{ value: 'digits', count: 1 }],
      tags: [{ value: 'paper', count: 1 }],
      trashed: 0,
    }),
  ),
  http.get(api('runs/sparklines/'), () =>
    HttpResponse.json({ metric: 'accuracy', lines: [{ run: run.id, values: [0.4, 0.5] }] }),
  ),
  http.get(api('views/'), () => HttpResponse.json([])),
  http.get(api('compare/'), () => HttpResponse.json(makeComparison())),
  http.get(api('jobs/'), () => HttpResponse.json({ next: null, previous: null, results: [] })),
  http.post(api('spec/partition/'), () =>
    HttpResponse.json({
      state: 'ready',
      report: {
        num_clients: 2,
        clients: [
          { client_id: 0, name: null, num_train: 4, num_test: 1, class_counts: [4, 0] },
          { client_id: 1, name: null, num_train: 2, num_test: 1, class_counts: [0, 2] },
        ],
        num_classes: 2,
        class_names: ['cat', 'dog'],
        unused_train: 0,
        total_variation: 0.5,
        jensen_shannon: 1,
        size_gini: 0.2,
      },
      problem: '',
    }),
  ),
  http.get(api('runs/:id/clients/'), () =>
    HttpResponse.json({ clients: [makeClient(0), makeClient(1)], links: [] }),
  ),
  http.get(api('runs/:id/client-rounds/'), () =>
    HttpResponse.json({
      metric: 'loss',
      rounds: [0, 1],
      rounds_per_column: 1,
      clients: [0, 1],
      total_clients: 2,
      cells: [
        [0, 0, 0.5],
        [1, 1, 0.25],
      ],
    }),
  ),
  http.get(api('runs/:id/logs/'), () =>
    HttpResponse.json({
      lines: [
        {
          seq: 1,
          at: run.created_at,
          level: 'warning',
          kind: 'client_refused',
          round_index: 3,
          client_id: 1,
          message: 'Round 3: update of client 1 refused: not finite',
        },
      ],
      cursor: 4,
      has_more: false,
    }),
  ),
  http.get(api('runs/:id/'), () => HttpResponse.json(run)),
  http.get(api('runs/:id/metrics/'), () =>
    HttpResponse.json({ rounds: [makeRound(0), makeRound(1)], down_sampled: false, total: 2 }),
  ),
  http.get(api('runs/:id/events/'), () =>
    HttpResponse.json({ events, last_seq: 4, has_more: false }),
  ),
  http.get(api('runs/:id/artifacts/'), () =>
    HttpResponse.json({ next: null, previous: null, results: [] }),
  ),
);

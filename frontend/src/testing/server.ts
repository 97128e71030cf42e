import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { catalogue, events, makeListItem, makeRound, makeRun, me, specSchema } from './fixtures';

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
  http.get(api('auth/csrf/'), () => HttpResponse.json({ csrf_token: 'token' })),
  http.get(api('spec/schema/'), () => HttpResponse.json(specSchema)),
  http.get(api('catalogue/'), () => HttpResponse.json(catalogue)),
  http.post(api('spec/validate/'), () =>
    HttpResponse.json({
      valid: true,
      problems: [],
      spec: null,
      yaml: '',
      digest: '',
      estimate: {
        cohort: 10,
        model_parameters: 1234,
        memory_bytes: 5_000_000,
        bytes_up_per_round: 1000,
        bytes_down_per_round: 2000,
        bytes_total: 60_000,
      },
    }),
  ),
  http.get(api('runs/'), () =>
    HttpResponse.json({ next: null, previous: null, results: [makeListItem()] }),
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

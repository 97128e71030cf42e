import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';
import { makeRun, me } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';
import { makeSite } from '@/testing/site-fixture';

const page = (results: unknown[]) => HttpResponse.json({ next: null, previous: null, results });
const ADDRESS = `/sites/${makeSite().id}`;
const admin = {
  ...me,
  projects: me.projects.map((project) => ({ ...project, role: 'admin' })),
};

const task = {
  id: 't1',
  run: 'r1',
  run_name: 'Heart',
  client_id: 0,
  round_index: 0,
  kind: 'train',
  attempt: 1,
  state: 'refused',
  opened_at: '2026-01-05T10:00:00Z',
  deadline_at: '2026-01-05T10:10:00Z',
  accepted_at: null,
  answered_at: '2026-01-05T10:00:01Z',
  stage: '',
  fraction: null,
  received_bytes: 0,
  size_bytes: 0,
  seconds: 0,
  num_examples: 0,
  rule: 'max_work.rounds',
  reason: 'The run has 2,000 rounds; this site does at most 200.',
};

function asAdmin() {
  server.use(http.get(api('auth/me/'), () => HttpResponse.json(admin)));
}

it('lists sites with where they stand, what they have and what is wrong', async () => {
  server.use(
    http.get(api('sites/'), () =>
      page([
        makeSite(),
        makeSite({
          id: 'b',
          name: 'Ward 4',
          presence: 'offline',
          problems: ['heart: gone'],
          waiting_tasks: ['t'],
        }),
        makeSite({ id: 'c', name: 'Ward 5', state: 'pending', hardware: null }),
      ]),
    ),
  );
  renderApp('/sites');
  const rows = await screen.findAllByRole('listitem');
  const [online, offline, pending] = rows.filter((row) => row.textContent.startsWith('Ward'));
  expect(online).toHaveTextContent('Online');
  expect(online).toHaveTextContent('1 data set');
  expect(online).toHaveTextContent('8 × CPU, 32 GB');
  expect(offline).toHaveTextContent('Offline');
  expect(offline).toHaveTextContent('1 problem');
  expect(offline).toHaveTextContent('Waits for a person at the site');
  expect(pending).toHaveTextContent('To be approved');
});

it('says where there is none how to begin, and to whom', async () => {
  server.use(http.get(api('sites/'), () => page([])));
  renderApp('/sites');
  expect(await screen.findByText(/administrator of the project can invite/)).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Invite a site' })).not.toBeInTheDocument();
});

it('says why the list is not there, and asks again', async () => {
  server.use(http.get(api('sites/'), () => problem(500, 'oops')));
  renderApp('/sites');
  expect(await screen.findByRole('alert')).toHaveTextContent('It went wrong: oops.');
  server.resetHandlers();
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('link', { name: 'Ward 3' })).toBeInTheDocument();
});

it('invites a site and shows the command that it enrols with, once', async () => {
  asAdmin();
  const sent: unknown[] = [];
  server.use(
    http.post(api('projects/:id/sites/'), async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(
        { ...makeSite({ state: 'invited', name: 'Ward 9' }), code: 'rh-code-1' },
        { status: 201 },
      );
    }),
  );
  renderApp('/sites');
  await userEvent.click(await screen.findByRole('button', { name: 'Invite a site' }));
  const form = await screen.findByRole('form', { name: 'Invite a site' });
  await userEvent.type(within(form).getByLabelText('Name'), 'Ward 9');
  await userEvent.click(within(form).getByRole('button', { name: 'Make a code' }));
  const command = `roundhouse site enrol rh-code-1 --server ${window.location.origin}`;
  expect(await screen.findByText(command)).toBeInTheDocument();
  expect(sent).toEqual([{ name: 'Ward 9', expires_in_days: 7 }]);
  await userEvent.click(screen.getByRole('button', { name: 'Done' }));
  await waitFor(() => {
    expect(screen.queryByText(command)).not.toBeInTheDocument();
  });
});

it('says which name cannot be used', async () => {
  asAdmin();
  server.use(
    http.post(api('projects/:id/sites/'), () =>
      problem(400, 'invalid', { name: ['There is a site of this name already.'] }),
    ),
  );
  renderApp('/sites');
  await userEvent.click(await screen.findByRole('button', { name: 'Invite a site' }));
  await userEvent.type(await screen.findByLabelText('Name'), 'Ward 3');
  await userEvent.click(screen.getByRole('button', { name: 'Make a code' }));
  expect(await screen.findByText('There is a site of this name already.')).toBeInTheDocument();
});

it('shows a site: its key, machine, data and policy', async () => {
  renderApp(ADDRESS);
  expect(await screen.findByRole('heading', { name: 'Ward 3' })).toBeInTheDocument();
  expect(screen.getByText('0123:4567:89ab:cdef:0123:4567:89ab:cdef')).toBeInTheDocument();
  const data = screen.getByRole('region', { name: 'heart' });
  expect(data).toHaveTextContent('242 to train on, 61 to test on');
  expect(data).toHaveTextContent('no 130, yes 112');
  expect(within(data).getByRole('row', { name: /^age/ })).toHaveTextContent(
    'mean 54.4, deviation 9; some missing',
  );
  expect(within(data).getByRole('row', { name: /^sex/ })).toHaveTextContent('0, 1');
  expect(screen.getByText('At most 200 rounds.')).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Revoke' })).not.toBeInTheDocument();
});

it('shows why a site refused, with the rule', async () => {
  server.use(http.get(api('sites/:id/tasks/'), () => page([task])));
  renderApp(ADDRESS);
  const row = await screen.findByRole('row', { name: /Heart/ });
  expect(row).toHaveTextContent('refused');
  expect(row).toHaveTextContent('max_work.rounds: The run has 2,000 rounds');
});

it('approves a site only after its fingerprint was shown', async () => {
  let state: 'pending' | 'approved' = 'pending';
  server.use(
    http.get(api('sites/:id/'), () =>
      HttpResponse.json(
        makeSite({ state, allowed_actions: state === 'pending' ? ['approve', 'revoke'] : [] }),
      ),
    ),
    http.post(api('sites/:id/approve/'), () => {
      state = 'approved';
      return HttpResponse.json(makeSite());
    }),
  );
  renderApp(ADDRESS);
  await userEvent.click(await screen.findByRole('button', { name: 'Approve' }));
  const dialog = await screen.findByRole('dialog', { name: 'Approve this site?' });
  expect(dialog).toHaveTextContent('0123:4567:89ab:cdef:0123:4567:89ab:cdef');
  expect(state).toBe('pending');
  await userEvent.click(within(dialog).getByRole('button', { name: /They are the same/ }));
  expect(await screen.findByText('Online')).toBeInTheDocument();
});

it('revokes a site with a reason, or keeps it', async () => {
  const sent: unknown[] = [];
  server.use(
    http.get(api('sites/:id/'), () => HttpResponse.json(makeSite({ allowed_actions: ['revoke'] }))),
    http.post(api('sites/:id/revoke/'), async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(makeSite({ state: 'revoked' }));
    }),
  );
  renderApp(ADDRESS);
  await userEvent.click(await screen.findByRole('button', { name: 'Revoke' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Keep it' }));
  expect(sent).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Revoke' }));
  await userEvent.type(await screen.findByLabelText('Reason'), 'The machine was sold');
  await userEvent.click(screen.getByRole('button', { name: 'Revoke it' }));
  await waitFor(() => {
    expect(sent).toEqual([{ reason: 'The machine was sold' }]);
  });
});

it('shows on the page of a run what its sites are at, and why one takes no part', async () => {
  const run = makeRun();
  const spec = { ...run.spec, runtime: { placement: 'sites' } } as unknown as typeof run.spec;
  const row = {
    client_id: 0,
    site: 's0',
    name: 'Ward 3',
    state: 'approved',
    presence: 'online',
    num_train: 242,
    num_test: 61,
    has_joined: true,
    out_rule: '',
    out_reason: '',
    task: { ...task, state: 'accepted', stage: 'uploading', fraction: 0.4, rule: '', reason: '' },
  };
  server.use(
    http.get(api(`runs/${run.id}/`), () => HttpResponse.json({ ...run, spec })),
    http.get(api('runs/:id/sites/'), () =>
      HttpResponse.json([
        row,
        {
          ...row,
          client_id: 1,
          site: 's1',
          name: 'Ward 4',
          presence: 'offline',
          out_rule: 'min_cohort',
          out_reason: 'A round has 2 clients; this site takes part among at least 3.',
        },
      ]),
    ),
  );
  renderApp(`/runs/${run.id}`);
  expect(await screen.findByRole('row', { name: /Ward 3/ })).toHaveTextContent(
    'train: at work, uploading 40%',
  );
  expect(screen.getByRole('row', { name: /Ward 4/ })).toHaveTextContent(
    'Takes no part: min_cohort: A round has 2 clients',
  );
  await userEvent.click(screen.getByRole('tab', { name: 'Topology' }));
  expect(await screen.findByText('2 sites, 1 at work')).toBeInTheDocument();
  expect(screen.getByText('Has not taken its task yet')).toBeInTheDocument();
});

import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';
import { makeRun } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

const run = makeRun();

function verdict(problems: readonly { path: string; message: string; fix: string }[]) {
  return HttpResponse.json({
    valid: problems.length === 0,
    problems: problems.map((found) => ({ ...found, code: 'wrong' })),
    spec: null,
    yaml: null,
    digest: null,
    estimate: null,
  });
}

async function openForm(address = '/new') {
  const app = renderApp(address);
  await screen.findByRole('form', { name: 'New run' });
  // What is not seen first comes afterwards.
  await screen.findByText('More settings');
  return app;
}

/** Answers a launch and remembers what was sent. */
function expectLaunch(): unknown[] {
  const sent: unknown[] = [];
  server.use(
    http.post(api('jobs/'), async ({ request }) => {
      sent.push({ key: request.headers.get('Idempotency-Key'), body: await request.json() });
      return HttpResponse.json({ id: 'j', name: 'n', runs: [run] }, { status: 201 });
    }),
  );
  return sent;
}

it('shows the basic settings first and folds the others away', async () => {
  await openForm();
  expect(screen.getByLabelText('Clients')).toHaveValue('20');
  expect(screen.getByLabelText('Hidden')).toHaveValue('200, 200');
  expect(screen.queryByLabelText('Seed')).not.toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: /General/ }));
  expect(await screen.findByLabelText('Seed')).toHaveValue('0');
});

it('launches what the form says under the suggested name', async () => {
  const sent = expectLaunch();
  const { router } = await openForm();
  await userEvent.clear(screen.getByLabelText('Clients'));
  await userEvent.type(screen.getByLabelText('Clients'), '50');
  await userEvent.clear(screen.getByLabelText('Alpha'));
  await userEvent.type(screen.getByLabelText('Alpha'), '1e-1');
  await userEvent.click(screen.getByRole('button', { name: 'Launch run' }));
  await waitFor(() => {
    expect(router.state.location.pathname).toBe(`/runs/${run.id}`);
  });
  expect(sent).toEqual([
    {
      key: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      body: {
        name: 'algorithm on Digits 8x8, Dirichlet 0.1',
        launch: true,
        is_template: false,
        priority: 'normal',
        spec: expect.objectContaining({
          rounds: 20,
          partition: { kind: 'dirichlet', clients: 50, alpha: 0.1 },
        }) as object,
      },
    },
  ]);
});

it('shows the settings of the kind that is chosen, and keeps what both kinds know', async () => {
  await openForm();
  await userEvent.clear(screen.getByLabelText('Clients'));
  await userEvent.type(screen.getByLabelText('Clients'), '50');
  await userEvent.click(screen.getByRole('combobox', { name: 'Partition' }));
  // jsdom computes no layout, so the list counts as hidden although it is open.
  await userEvent.click(await screen.findByRole('option', { name: /IID/, hidden: true }));
  expect(screen.queryByLabelText('Alpha')).not.toBeInTheDocument();
  expect(screen.getByLabelText('Clients')).toHaveValue('50');
});

it('puts a problem beside its field, and one without a field into the summary', async () => {
  server.use(
    http.post(api('spec/validate/'), () =>
      verdict([
        { path: 'partition.clients', message: 'Too many.', fix: 'Use at most 1437.' },
        { path: 'algorithm.mu', message: 'There is no such setting.', fix: '' },
      ]),
    ),
  );
  await openForm();
  await waitFor(() => {
    expect(screen.getByLabelText('Clients')).toBeInvalid();
  });
  expect(screen.getByLabelText('Clients')).toHaveAccessibleDescription(
    /Too many. Use at most 1437./,
  );
  const summary = screen.getByRole('complementary', { name: 'This run' });
  expect(within(summary).getByText(/There is no such setting./)).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Launch run' })).toBeDisabled();
});

it('opens the folded group that has a problem', async () => {
  server.use(
    http.post(api('spec/validate/'), () =>
      verdict([{ path: 'evaluation.every', message: 'Must be at least 1.', fix: '' }]),
    ),
  );
  await openForm();
  expect(await screen.findByLabelText('Every')).toBeInvalid();
});

it('sends what cannot be read as a number as it is, for the server to judge', async () => {
  const documents: unknown[] = [];
  server.use(
    http.post(api('spec/validate/'), async ({ request }) => {
      documents.push(await request.json());
      return verdict([]);
    }),
  );
  await openForm();
  await userEvent.clear(screen.getByLabelText('Rounds'));
  await userEvent.type(screen.getByLabelText('Rounds'), 'many');
  await waitFor(() => {
    expect(documents.at(-1)).toMatchObject({ spec: { rounds: 'many' } });
  });
});

it('puts the server’s objections to a launch beside their fields until they are mended', async () => {
  server.use(
    http.post(api('jobs/'), () => problem(400, 'invalid_spec', { rounds: ['Too many rounds.'] })),
  );
  await openForm();
  await userEvent.click(screen.getByRole('button', { name: 'Launch run' }));
  await waitFor(() => {
    expect(screen.getByLabelText('Rounds')).toBeInvalid();
  });
  await userEvent.type(screen.getByLabelText('Rounds'), '0');
  expect(screen.getByLabelText('Rounds')).toBeValid();
});

it('is filled with the settings of the run that is cloned', async () => {
  await openForm(`/new?clone=${run.id}`);
  expect(screen.getByLabelText('Clients')).toHaveValue('50');
  expect(screen.getByLabelText('Name')).toHaveValue('Digits, very uneven (copy)');
});

it('shows what the run will cost', async () => {
  await openForm();
  const summary = screen.getByRole('complementary', { name: 'This run' });
  expect(await within(summary).findByText('1,234')).toBeInTheDocument();
  expect(within(summary).getByText('60 kB')).toBeInTheDocument();
  expect(within(summary).getByText('Ready to launch')).toBeInTheDocument();
});

it('starts from the settings that an address names', async () => {
  const spec = { partition: { kind: 'dirichlet', clients: 7 } };
  await openForm(`/new?spec=${encodeURIComponent(JSON.stringify(spec))}`);
  expect(screen.getByLabelText('Clients')).toHaveValue('7');
});

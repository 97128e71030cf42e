import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it, vi } from 'vitest';
import { makeRun, makeValidation } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

const run = makeRun();
const template = { id: 't1', name: 'Uneven digits', spec: run.spec, runs: [] };

async function openForm(address = '/new') {
  const app = renderApp(address);
  await screen.findByRole('form', { name: 'New run' });
  return app;
}

/** The files that the page gives out, by name. */
function catchDownloads(): Map<string, Blob> {
  const files = new Map<string, Blob>();
  let latest = new Blob();
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    latest = blob as Blob;
    return 'blob:file';
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    files.set(this.download, latest);
  });
  return files;
}

async function importFile(name: string, content: string) {
  const input = document.querySelector<HTMLInputElement>('input[type=file]');
  if (input === null) throw new Error('There is no way to import a file.');
  await userEvent.upload(input, new File([content], name));
}

it('shows how the data is divided, in numbers and as a figure', async () => {
  await openForm();
  const preview = screen.getByRole('region', { name: 'How the data is divided' });
  expect(await within(preview).findByText('0.5 of 1')).toBeInTheDocument();
  expect(within(preview).getByText('2 – 4, median 4')).toBeInTheDocument();
  expect(preview.querySelector('figure[data-chart=partition]')).toHaveAttribute('data-points', '2');
});

it('asks again until a worker knows how the data is divided', async () => {
  let asked = 0;
  server.use(
    http.post(api('spec/partition/'), () => {
      asked += 1;
      if (asked > 1) return undefined;
      return HttpResponse.json({ state: 'pending', report: null, problem: '' });
    }),
  );
  await openForm();
  expect(await screen.findByText('A worker is dividing the data …')).toBeInTheDocument();
  expect(await screen.findByText('0.5 of 1', undefined, { timeout: 5_000 })).toBeInTheDocument();
});

it('says why the data cannot be divided', async () => {
  server.use(
    http.post(api('spec/partition/'), () =>
      HttpResponse.json({ state: 'failed', report: null, problem: 'Give fewer clients.' }),
    ),
  );
  await openForm();
  expect(await screen.findByText('Give fewer clients.')).toBeInTheDocument();
});

it('says what went wrong with asking how the data is divided', async () => {
  server.use(http.post(api('spec/partition/'), () => problem(403, 'forbidden')));
  await openForm();
  expect(await screen.findByText(/It went wrong: forbidden/)).toBeInTheDocument();
});

it('does not ask how the data is divided while something is wrong', async () => {
  server.use(
    http.post(api('spec/validate/'), () =>
      HttpResponse.json({
        valid: false,
        problems: [{ path: 'rounds', message: 'Too many.', fix: '', code: 'wrong' }],
        spec: null,
        yaml: '',
        digest: null,
        estimate: null,
      }),
    ),
  );
  await openForm();
  expect(await screen.findByText('Shown when the settings are valid.')).toBeInTheDocument();
});

it('opens a file, and shows it in every view', async () => {
  await openForm();
  await importFile('run.yaml', '# mine\nrounds: 7\npartition: {kind: iid, clients: 3}\n');
  await waitFor(() => {
    expect(screen.getByLabelText('Rounds')).toHaveValue('7');
  });
  expect(screen.getByLabelText('Clients')).toHaveValue('3');
  expect(screen.queryByLabelText('Alpha')).not.toBeInTheDocument();
});

it('keeps a file that is no YAML as it is, and shows where it is wrong', async () => {
  const { router } = await openForm();
  await importFile('run.yaml', 'rounds: 7\nrounds: 8\n');
  await waitFor(() => {
    expect(router.state.location.search).toMatchObject({ view: 'yaml' });
  });
  expect(await screen.findByText('The YAML cannot be read')).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Launch run' })).toBeDisabled();

  await userEvent.click(screen.getByText('Form', { selector: 'label *' }));
  expect(await screen.findByRole('button', { name: 'Mend the YAML' })).toBeInTheDocument();
  expect(screen.queryByLabelText('Rounds')).not.toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: /Drop the YAML/ }));
  expect(await screen.findByLabelText('Rounds')).toHaveValue('20');
});

it('opens a file of several runs, and launches what the form shows over its axes', async () => {
  const sent: unknown[] = [];
  server.use(
    http.post(api('jobs/'), async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ id: 'j', name: 'n', runs: [run] }, { status: 201 });
    }),
  );
  const { router } = await openForm();
  await importFile('sweep.yaml', 'base: {rounds: 7}\naxes: {seed: [1, 2]}\nseeds: 2\n');
  const launch = await screen.findByRole('button', { name: 'Launch 4 runs' });
  await userEvent.type(await screen.findByLabelText('Rounds'), '0');
  await userEvent.click(launch);
  await waitFor(() => {
    expect(sent).toHaveLength(1);
  });
  expect(sent[0]).toMatchObject({
    sweep: { base: { rounds: 70 }, axes: { seed: [1, 2] }, seeds: 2 },
  });
  await waitFor(() => {
    expect(router.state.location.pathname).toBe('/sweeps/j');
  });
});

it('gives the document out as a file', async () => {
  const files = catchDownloads();
  await openForm();
  await userEvent.click(screen.getByRole('button', { name: 'Export' }));
  await userEvent.click(await screen.findByText('JSON file'));
  await waitFor(() => {
    expect(files.size).toBe(1);
  });
  const [[name, blob] = ['', new Blob()]] = files;
  expect(name).toMatch(/\.json$/);
  expect(JSON.parse(await blob.text())).toMatchObject({ rounds: 20, seed: 0 });
});

it('keeps settings as a template, and deletes one after asking', async () => {
  const calls: string[] = [];
  server.use(
    http.get(api('jobs/'), () =>
      HttpResponse.json({ next: null, previous: null, results: [template] }),
    ),
    http.post(api('jobs/'), async ({ request }) => {
      const body = (await request.json()) as { name: string; is_template: boolean };
      calls.push(`save ${body.name} ${String(body.is_template)}`);
      return HttpResponse.json({ ...template, name: body.name }, { status: 201 });
    }),
    http.delete(api('jobs/t1/'), () => {
      calls.push('delete');
      return new HttpResponse(null, { status: 204 });
    }),
  );
  await openForm();
  await userEvent.click(screen.getByRole('button', { name: 'Templates' }));
  await userEvent.type(await screen.findByLabelText('Name of the template'), 'Mine{Enter}');
  expect(await screen.findByText('Mine is saved.')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: /Delete the template Uneven/ }));
  await userEvent.click(screen.getByRole('button', { name: 'Keep' }));
  await userEvent.click(screen.getByRole('button', { name: /Delete the template Uneven/ }));
  await userEvent.click(screen.getByRole('button', { name: 'Delete' }));
  await waitFor(() => {
    expect(calls).toEqual(['save Mine true', 'delete']);
  });
});

it('starts from a template', async () => {
  server.use(http.get(api('jobs/t1/'), () => HttpResponse.json(template)));
  await openForm('/new?template=t1');
  expect(screen.getByText('From the template Uneven digits.')).toBeInTheDocument();
  expect(screen.getByLabelText('Clients')).toHaveValue('50');
  expect(screen.getByLabelText('Name')).toHaveValue('');
});

it('warns of a run that no worker has the memory for, and says how long it takes', async () => {
  server.use(
    http.post(api('spec/validate/'), () =>
      HttpResponse.json(makeValidation({ seconds_per_round: 2.5, seconds_total: 50, fits: false })),
    ),
  );
  await openForm();
  const summary = screen.getByRole('complementary', { name: 'This run' });
  expect(await within(summary).findByText('2.5 s')).toBeInTheDocument();
  expect(within(summary).getByText('50 s')).toBeInTheDocument();
  expect(within(summary).getByText(/No worker that is running/)).toBeInTheDocument();
});

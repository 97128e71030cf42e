import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it } from 'vitest';
import type { Eligibility, SiteEligibility } from '@/api/types';
import type { JsonObject } from '@/lib/document-path';
import type { JsonSchema } from '@/lib/json-schema';
import { specSchema } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

const kind = { const: 'sites', default: 'sites', type: 'string' };
const names: JsonSchema = { type: 'array', items: { type: 'string' }, default: [] };

/** The sections that are about sites, as short as they can be. */
const schema: JsonSchema = {
  ...specSchema,
  $defs: {
    ...specSchema.$defs,
    SiteData: {
      type: 'object',
      properties: {
        kind,
        name: { type: 'string', title: 'Name', 'x-basic': true },
        inputs: names,
        target: { type: 'object', properties: { column: { type: 'string' } } },
      },
    },
    SiteClients: {
      type: 'object',
      properties: { kind, clients: { type: 'integer', default: 20, 'x-basic': true } },
    },
  },
  properties: {
    ...specSchema.properties,
    dataset: withVariant('dataset', 'SiteData'),
    partition: withVariant('partition', 'SiteClients'),
    runtime: {
      type: 'object',
      properties: {
        placement: { enum: ['local', 'sites'], default: 'local', type: 'string' },
        sites: names,
      },
    },
  },
};

function withVariant(section: string, name: string): JsonSchema {
  const own = specSchema.properties?.[section] ?? {};
  return { ...own, oneOf: [...(own.oneOf ?? []), { $ref: `#/$defs/${name}` }] };
}

function makeCandidate(name: string, changes: Partial<SiteEligibility> = {}): SiteEligibility {
  return {
    site: `id-${name}`,
    name,
    state: 'approved',
    presence: 'online',
    datasets: [{ name: 'heart', title: '', num_train: 242, num_test: 61 }],
    is_named: false,
    verdict: 'accepted',
    reasons: [],
    ...changes,
  };
}

const STRICT = makeCandidate('Strict', {
  presence: 'never_seen',
  verdict: 'refused',
  reasons: [
    {
      rule: 'max_work.rounds',
      message: 'The run has 20 rounds; this site does at most 5.',
      fix: 'Set rounds to 5 or less.',
    },
  ],
});
const POOR = makeCandidate('Poor', { datasets: [], verdict: 'unfit' });
const SHY = makeCandidate('Shy', { datasets: [], verdict: 'needs_approval' });
const CANDIDATES = [makeCandidate('North'), STRICT, POOR];

function answerWith(sites: SiteEligibility[], unknown: string[] = []): void {
  const answer: Eligibility = {
    project: 'p',
    project_name: 'Default',
    sites,
    unknown_names: unknown,
  };
  server.use(http.post(api('sites/eligibility/'), () => HttpResponse.json(answer)));
}

interface Asked {
  spec: JsonObject;
  sites: string[];
  target?: string;
}

/** Drafts as the server does; remembers what was asked for. */
function expectDrafts(targets = ['disease', 'sex']): Asked[] {
  const asked: Asked[] = [];
  server.use(
    http.post(api('sites/draft/'), async ({ request }) => {
      const body = (await request.json()) as Asked;
      asked.push(body);
      const { target, sites } = body;
      const sections = target !== undefined && {
        dataset: { kind: 'sites', name: 'heart', inputs: ['age'], target: { column: target } },
        partition: { kind: 'sites', clients: sites.length },
        runtime: { placement: 'sites', sites },
      };
      const left = target ? [{ column: 'notes', why: 'It is text.' }] : [];
      return HttpResponse.json({
        sections: sections === false ? {} : sections,
        targets,
        left_out: left,
        problem: '',
      });
    }),
  );
  return asked;
}

const DRAFT = {
  dataset: { kind: 'sites', name: 'heart', inputs: ['age'], target: { column: 'disease' } },
  partition: { kind: 'sites', clients: 1 },
  runtime: { placement: 'sites', sites: ['North'] },
};

async function openPicker(spec: JsonObject = { dataset: { kind: 'sites' } }) {
  renderApp(`/new?spec=${encodeURIComponent(JSON.stringify(spec))}`);
  return screen.findByRole('region', { name: 'Sites' });
}

async function choose(label: string, option: RegExp | string) {
  await userEvent.click(screen.getByRole('combobox', { name: label }));
  await userEvent.click(await screen.findByRole('option', { name: option, hidden: true }));
}

beforeEach(() => {
  server.use(http.get(api('spec/schema/'), () => HttpResponse.json(schema)));
  answerWith(CANDIDATES);
});

it('offers the sites with what they have and whether they are there', async () => {
  expectDrafts();
  const picker = await openPicker(DRAFT);
  const north = within(
    (await within(picker).findByText('Would take part')).closest('li') ?? picker,
  );
  expect(north.getByRole('checkbox', { name: 'North' })).toBeChecked();
  expect(north.getByText('Online')).toBeInTheDocument();
  expect(north.getByText('242 to train on, 61 to test on')).toBeInTheDocument();
  expect(within(picker).getByText('Never seen')).toBeInTheDocument();
  expect(within(picker).getByText('Has not declared heart')).toBeInTheDocument();
  expect(await within(picker).findByText('1 column is not learned from')).toBeInTheDocument();
  expect(screen.queryByLabelText('Partition')).not.toBeInTheDocument();
});

it('says by which rule a site would refuse, and what to do about it', async () => {
  expectDrafts();
  await openPicker(DRAFT);
  expect(
    await screen.findByText(
      'max_work.rounds: The run has 20 rounds; this site does at most 5. Set rounds to 5 or less.',
    ),
  ).toBeInTheDocument();
});

it('puts the draft onto the sites that offer the data, and the YAML says so', async () => {
  const asked = expectDrafts();
  await openPicker();
  await screen.findByText('Who takes part');
  await choose('Data set on the sites', 'heart (2 sites)');
  expect(await screen.findByRole('checkbox', { name: 'Strict' })).toBeChecked();
  await choose('To predict', 'disease');
  await waitFor(() => {
    expect(asked.at(-1)).toMatchObject({ target: 'disease', sites: ['North', 'Strict'] });
  });
  await userEvent.click(screen.getByRole('checkbox', { name: 'Strict' }));
  await waitFor(() => {
    expect(asked.at(-1)?.sites).toEqual(['North']);
  });
  await userEvent.click(screen.getByRole('radio', { name: 'YAML' }));
  const yaml = await screen.findByRole('textbox', { name: /YAML/ });
  await waitFor(() => {
    expect(yaml).toHaveTextContent(/sites: \[North\]/);
  });
  expect(yaml).toHaveTextContent(/column: disease/);
  expect(yaml).toHaveTextContent(/clients: 1/);
});

it('predicts the only column that can be predicted', async () => {
  const asked = expectDrafts(['disease']);
  await openPicker();
  await screen.findByText('Who takes part');
  await choose('Data set on the sites', 'heart (2 sites)');
  await waitFor(() => {
    expect(asked.at(-1)?.target).toBe('disease');
  });
});

it('chooses all that would take part, and simulates instead', async () => {
  const asked = expectDrafts();
  answerWith([...CANDIDATES, SHY]);
  await openPicker(DRAFT);
  await userEvent.click(await screen.findByRole('button', { name: 'All that would take part' }));
  await waitFor(() => {
    expect(asked.at(-1)?.sites).toEqual(['North', 'Shy']);
  });
  await userEvent.click(screen.getByRole('button', { name: 'Simulate clients instead' }));
  expect(await screen.findByLabelText('Alpha')).toBeInTheDocument();
  expect(screen.queryByRole('region', { name: 'Sites' })).not.toBeInTheDocument();
});

it('lets go of a site that the project does not have', async () => {
  expectDrafts();
  answerWith(CANDIDATES, ['Atlantis']);
  await openPicker({ ...DRAFT, runtime: { placement: 'sites', sites: ['North', 'Atlantis'] } });
  await userEvent.click(await screen.findByRole('button', { name: 'Leave out Atlantis' }));
  expect(await screen.findByText('1 of 3')).toBeInTheDocument();
});

it('shows the way to Sites where none is enrolled', async () => {
  answerWith([]);
  await openPicker();
  expect(await screen.findByText('No site is enrolled')).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Go to Sites' })).toHaveAttribute('href', '/sites');
});

it('says what went wrong, and tries again', async () => {
  server.use(http.post(api('sites/eligibility/'), () => problem(500, 'oops')));
  const picker = await openPicker();
  expect(await within(picker).findByRole('alert')).toHaveTextContent('It went wrong: oops.');
  answerWith(CANDIDATES);
  await userEvent.click(within(picker).getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('Who takes part')).toBeInTheDocument();
});

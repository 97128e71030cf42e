import type {
  CatalogueEntry,
  ClientRow,
  ComparedRun,
  Comparison,
  Estimate,
  Event,
  RoundRow,
  Run,
  RunListItem,
  Sweep,
  SweepPoint,
} from '@/api/types';
import type { JsonSchema } from '@/lib/json-schema';

const RUN_ID = '11111111-1111-4111-8111-111111111111';
const START = Date.parse('2026-01-05T10:00:00Z');

function at(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

export const me = {
  user: { id: '7', username: 'ada', is_staff: false, is_superuser: false },
  projects: [{ id: '22222222-2222-4222-8222-222222222222', name: 'Default', role: 'editor' }],
};

const spec = {
  spec_version: 1,
  seed: 0,
  rounds: 20,
  dataset: { kind: 'digits' },
  partition: { kind: 'dirichlet', clients: 50, alpha: 0.5 },
  model: { kind: 'mlp', hidden: [200, 200] },
  evaluation: { every: 1, target: null },
  runtime: { placement: 'local' },
};

export function makeRun(changes: Partial<Run> = {}): Run {
  return {
    id: RUN_ID,
    job: { id: '33333333-3333-4333-8333-333333333333', name: 'Digits' },
    project: '22222222-2222-4222-8222-222222222222',
    number: 1,
    name: 'Digits, very uneven',
    state: 'running',
    is_final: false,
    allowed_actions: ['pause', 'cancel', 'clone'],
    requested_action: 'none',
    attempt: 1,
    rounds_total: 20,
    rounds_done: 2,
    latest_metrics: { accuracy: 0.52, loss: 1.5, train_loss: 1.25 },
    totals: { bytes_up: 2000, bytes_down: 2000, seconds: 1, sim_seconds: 4 },
    executor: 'sequential',
    failure: null,
    queue: null,
    eta_s: 9,
    digest: 'd'.repeat(64),
    last_seq: 4,
    created_at: at(0),
    queued_at: at(0),
    started_at: at(1),
    finished_at: null,
    created_by: 'ada',
    priority: 'normal',
    point: null,
    pruned: false,
    method: 'fedavg',
    dataset: 'digits',
    tags: ['paper'],
    notes: '',
    is_favourite: false,
    trashed_at: null,
    spec: spec as unknown as Run['spec'],
    ...changes,
  };
}

export function makeListItem(changes: Partial<Run> = {}): RunListItem {
  const { spec: _, ...row } = makeRun(changes);
  return row;
}

export function makeRound(round: number): RoundRow {
  return {
    round,
    metrics: { accuracy: 0.5 + round / 100, loss: 1.5 - round / 100, train_loss: 1.25 },
    bytes_up: 1000,
    bytes_down: 1000,
    seconds: 0.5,
    sim_seconds: 2,
    participants: 10,
    recorded_at: at(2 + round),
  };
}

export function roundFinished(seq: number, round: number): Event {
  return { seq, at: at(2 + round), kind: 'round_finished', data: makeRound(round) };
}

/** A run that has been queued, started, and finished rounds 0 and 1. */
export const events: Event[] = [
  { seq: 1, at: at(0), kind: 'state_changed', data: { from: null, to: 'queued', reason: '' } },
  { seq: 2, at: at(1), kind: 'state_changed', data: { from: 'queued', to: 'running', reason: '' } },
  roundFinished(3, 0),
  roundFinished(4, 1),
];

const kind = (value: string): JsonSchema => ({ const: value, default: value, type: 'string' });

/** A small schema with every form of setting that the server's has. */
export const specSchema: JsonSchema = {
  $defs: {
    Digits: { title: 'Digits', type: 'object', properties: { kind: kind('digits') } },
    Synthetic: {
      title: 'Synthetic',
      type: 'object',
      properties: {
        kind: kind('synthetic'),
        num_samples: { type: 'integer', default: 6000, title: 'Num Samples' },
      },
    },
    Iid: {
      type: 'object',
      properties: {
        kind: kind('iid'),
        clients: { type: 'integer', default: 20, title: 'Clients', 'x-basic': true },
      },
    },
    Dirichlet: {
      type: 'object',
      properties: {
        kind: kind('dirichlet'),
        clients: { type: 'integer', default: 20, title: 'Clients', 'x-basic': true },
        alpha: { type: 'number', default: 0.5, title: 'Alpha', 'x-basic': true },
      },
    },
    Mlp: {
      type: 'object',
      properties: {
        kind: kind('mlp'),
        hidden: {
          type: 'array',
          items: { type: 'integer' },
          default: [200, 200],
          title: 'Hidden',
          'x-basic': true,
        },
      },
    },
    Evaluation: {
      title: 'EvaluationSpec',
      type: 'object',
      properties: {
        every: { type: 'integer', default: 1, title: 'Every' },
        target: { anyOf: [{ $ref: '#/$defs/Target' }, { type: 'null' }], default: null },
      },
    },
    Target: {
      title: 'TargetSpec',
      type: 'object',
      properties: {
        metric: {
          enum: ['accuracy', 'loss'],
          default: 'accuracy',
          type: 'string',
          title: 'Metric',
        },
        value: { type: 'number', title: 'Value' },
      },
    },
  },
  type: 'object',
  properties: {
    spec_version: { const: 1, default: 1, type: 'integer' },
    seed: { type: 'integer', default: 0, title: 'Seed' },
    rounds: { type: 'integer', default: 20, title: 'Rounds', 'x-basic': true },
    dataset: {
      oneOf: [{ $ref: '#/$defs/Digits' }, { $ref: '#/$defs/Synthetic' }],
      discriminator: { propertyName: 'kind', mapping: {} },
      default: { kind: 'digits' },
      title: 'Dataset',
      'x-basic': true,
    },
    partition: {
      oneOf: [{ $ref: '#/$defs/Iid' }, { $ref: '#/$defs/Dirichlet' }],
      discriminator: { propertyName: 'kind', mapping: {} },
      default: { kind: 'dirichlet', clients: 20, alpha: 0.5 },
      title: 'Partition',
      'x-basic': true,
    },
    model: {
      oneOf: [{ $ref: '#/$defs/Mlp' }],
      discriminator: { propertyName: 'kind', mapping: {} },
      default: { kind: 'mlp', hidden: [200, 200] },
      title: 'Model',
      'x-basic': true,
    },
    evaluation: { $ref: '#/$defs/Evaluation', default: { every: 1, target: null } },
  },
};

function entry(section: string, name: string, title: string): CatalogueEntry {
  return {
    section,
    kind: name,
    title,
    summary: `About ${title}.`,
    description: '',
    paper: null,
    synonyms: [],
    constraints: [],
    schema: {},
    example: { [section]: { kind: name } },
  };
}

export const catalogue: CatalogueEntry[] = [
  entry('dataset', 'digits', 'Digits 8x8'),
  entry('dataset', 'synthetic', 'Synthetic'),
  entry('partition', 'iid', 'IID'),
  entry('partition', 'dirichlet', 'Dirichlet'),
  entry('model', 'mlp', 'Perceptron'),
];

export function makeClient(id: number, changes: Partial<ClientRow> = {}): ClientRow {
  return {
    client_id: id,
    num_samples: 10 * (id + 1),
    class_counts: [id, 10],
    rounds: 2,
    last_round: 1,
    last_loss: 0.5,
    mean_duration_s: 0.1,
    bytes_up: 1000,
    bytes_down: 1000,
    refused: 0,
    failed: 0,
    last_reason: null,
    test_samples: null,
    test_accuracy: null,
    test_loss: null,
    personal_accuracy: null,
    ...changes,
  };
}

/** A grid over one setting, the second point of which is the best so far. */
export function makeSweep(changes: Partial<Sweep> = {}): Sweep {
  const point = (index: number, lr: number, mean: number | null): SweepPoint => ({
    index,
    values: { 'local.lr': lr },
    mean,
    std: null,
    problems: [],
    runs: [
      {
        id: `${index}4444444-4444-4444-8444-444444444444`,
        number: index + 1,
        seed: 0,
        state: mean === null ? 'running' : 'succeeded',
        rounds_done: 3,
        pruned: false,
        value: mean,
      },
    ],
  });
  const points = [point(0, 0.1, 0.5), point(1, 0.2, 0.75), point(2, 0.4, null)];
  return {
    job: '55555555-5555-4555-8555-555555555555',
    name: 'Learning rates',
    state: 'running',
    metric: 'accuracy',
    higher_is_better: true,
    runs_total: 3,
    runs_made: 3,
    runs_by_state: { succeeded: 2, running: 1 },
    best: points[1] ?? null,
    document: {
      base: { rounds: 3 },
      axes: { 'local.lr': [0.1, 0.2, 0.4] },
      search: null,
      seeds: 1,
      metric: null,
      parallel: 4,
    },
    created_at: at(0),
    created_by: 'ada',
    finished_at: null,
    allowed_actions: ['cancel'],
    points,
    ...changes,
  };
}

function makeCompared(name: string, last: number, index: number): ComparedRun {
  const run = makeListItem({
    id: `${index}1111111-1111-4111-8111-111111111111`,
    name,
    state: 'succeeded',
    is_final: true,
    totals: { bytes_up: 2e6, bytes_down: 2e6, seconds: 1, sim_seconds: 4 },
  });
  return {
    run,
    curve: {
      round: [0, 1],
      bytes: [100, 200],
      seconds: [0.5, 1],
      sim_seconds: [2, 4],
      metrics: { accuracy: [0.5, last], drift: [1, 2], loss: [null, 1] },
      total: 2,
    },
  };
}

/** Two seeds of FedAvg and one run of FedProx. */
export function makeComparison(): Comparison {
  return {
    runs: [
      makeCompared('FedAvg', 0.6, 1),
      makeCompared('FedAvg', 0.8, 2),
      makeCompared('FedProx', 0.9, 3),
    ],
    differences: [
      { path: 'algorithm.kind', values: ['fedavg', 'fedavg', 'fedprox'] },
      { path: 'algorithm.mu', values: [null, null, 0.1] },
      { path: 'seed', values: [0, 1, 0] },
    ],
  };
}

/** What the server says of settings without problems. */
export function makeValidation(changes: Partial<Estimate> = {}) {
  const estimate: Estimate = {
    cohort: 10,
    model_parameters: 1234,
    memory_bytes: 5_000_000,
    bytes_up_per_round: 1000,
    bytes_down_per_round: 2000,
    bytes_total: 60_000,
    epsilon: null,
    delta: null,
    noise_multiplier: null,
    seconds_per_round: null,
    seconds_total: null,
    fits: null,
    ...changes,
  };
  return { valid: true, problems: [], spec: null, yaml: '', digest: '', estimate };
}

import { describe, expect, it } from 'vitest';
import { specSchema } from '@/testing/fixtures';
import {
  completed,
  defaultsOf,
  hasEffect,
  rivalOf,
  shapeOf,
  switchKind,
  type JsonSchema,
} from './json-schema';

const properties = specSchema.properties ?? {};

describe('shapeOf', () => {
  const shape = (name: string) => shapeOf(properties[name] ?? {}, specSchema);

  it('tells tagged unions and lists their kinds', () => {
    expect(shape('partition')).toMatchObject({
      type: 'union',
      variants: [{ kind: 'iid' }, { kind: 'dirichlet' }],
    });
  });

  it('follows references and sees through "or null"', () => {
    const evaluation = shape('evaluation');
    if (evaluation.type !== 'object') throw new Error('not an object');
    expect(shapeOf(evaluation.properties['target'] ?? {}, specSchema)).toMatchObject({
      type: 'object',
      nullable: true,
    });
  });

  it('does not take the class name of a definition for a title', () => {
    expect(JSON.stringify(shape('evaluation'))).not.toContain('EvaluationSpec');
  });
});

it('fills in what the server would fill in', () => {
  expect(defaultsOf(properties, specSchema)).toEqual({
    spec_version: 1,
    seed: 0,
    rounds: 20,
    dataset: { kind: 'digits' },
    partition: { kind: 'dirichlet', clients: 20, alpha: 0.5 },
    model: { kind: 'mlp', hidden: [200, 200] },
    evaluation: { every: 1, target: null },
  });
});

it('keeps the settings that both kinds know when the kind is switched', () => {
  const partition = shapeOf(properties['partition'] ?? {}, specSchema);
  const iid = partition.type === 'union' ? partition.variants[0] : undefined;
  if (iid === undefined) throw new Error('no variant');
  const before = { kind: 'dirichlet', clients: 50, alpha: 0.1 };
  expect(switchKind(before, iid, specSchema)).toEqual({ kind: 'iid', clients: 50 });
});

const local: JsonSchema = {
  type: 'object',
  properties: {
    epochs: { anyOf: [{ type: 'integer' }, { type: 'null' }], default: 3 },
    steps: {
      anyOf: [{ type: 'integer' }, { type: 'null' }],
      default: null,
      'x-instead-of': 'epochs',
    },
    momentum: { type: 'number', default: 0, 'x-only-with': { name: 'optimizer', values: ['sgd'] } },
  },
};

it('fills in what a document leaves out, as the server does', () => {
  const root = specSchema;
  const partition = root.properties?.['partition'] ?? {};
  expect(completed({ kind: 'iid' }, partition, root)).toEqual({ kind: 'iid', clients: 20 });
  expect(completed({ kind: 'odd', a: 1 }, partition, root)).toEqual({ kind: 'odd', a: 1 });
  expect(completed('text', partition, root)).toBe('text');
});

it('leaves a setting empty that another one is given instead of', () => {
  expect(completed({}, local, {})).toMatchObject({ epochs: 3, steps: null });
  expect(completed({ steps: 10 }, local, {})).toMatchObject({ epochs: null, steps: 10 });
  expect(completed({ steps: 10, epochs: 1 }, local, {})).toMatchObject({ epochs: 1, steps: 10 });
  expect(rivalOf('steps', local.properties ?? {}, {})).toBe('epochs');
  expect(rivalOf('epochs', local.properties ?? {}, {})).toBe('steps');
  expect(rivalOf('momentum', local.properties ?? {}, {})).toBeUndefined();
});

it('knows which settings have no effect beside others', () => {
  const momentum = local.properties?.['momentum'] ?? {};
  expect(hasEffect(momentum, { optimizer: 'sgd' }, {})).toBe(true);
  expect(hasEffect(momentum, { optimizer: 'adam' }, {})).toBe(false);
});

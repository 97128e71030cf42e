import { describe, expect, it } from 'vitest';
import { specSchema } from '@/testing/fixtures';
import { defaultsOf, shapeOf, switchKind } from './json-schema';

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

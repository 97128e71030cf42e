import { expect, it } from 'vitest';
import { defaultsOf } from '@/lib/json-schema';
import { specSchema } from '@/testing/fixtures';
import { assignProblems, leavesOf } from './field-paths';

const properties = specSchema.properties ?? {};

function leaves(changes = {}) {
  const document = { ...defaultsOf(properties, specSchema), ...changes };
  return Object.entries(properties).flatMap(([path, schema]) =>
    leavesOf({ path, schema, isBasic: schema['x-basic'] === true }, document, specSchema),
  );
}

const problem = (path: string) => ({ path, message: 'No.', fix: '' });

it('finds the inputs of the chosen kinds only, and not those of constants', () => {
  expect(leaves().map((leaf) => leaf.path)).toEqual([
    'seed',
    'rounds',
    'dataset',
    'partition',
    'partition.clients',
    'partition.alpha',
    'model',
    'model.hidden',
    'evaluation.every',
    'evaluation.target',
  ]);
});

it('knows what differs from its default', () => {
  const changed = leaves({ evaluation: { every: 5, target: { metric: 'loss', value: 0.1 } } });
  expect(changed.filter((leaf) => leaf.isChanged).map((leaf) => leaf.path)).toEqual([
    'evaluation.every',
    'evaluation.target',
    'evaluation.target.metric',
    'evaluation.target.value',
  ]);
});

it('gives a problem to its input, and the rest to the summary', () => {
  const problems = ['partition.alpha', 'dataset.kind', 'model.hidden.1', 'algorithm.mu', ''];
  const { placed, unplaced } = assignProblems(problems.map(problem), leaves());
  expect([...placed.keys()]).toEqual(['partition.alpha', 'dataset', 'model.hidden']);
  expect(unplaced.map(({ path }) => path)).toEqual(['algorithm.mu', '']);
});

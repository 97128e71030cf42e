import { expect, it } from 'vitest';
import { readDocument } from './document-files';
import { rangeOf, readYaml, writeYaml, yamlTextOf } from './yaml-document';
import type { YamlReading } from './spec-state';

function faultOf(reading: YamlReading) {
  return 'fault' in reading ? reading.fault : null;
}

it('reads what it writes', () => {
  const document = {
    seed: 0,
    partition: { kind: 'dirichlet', alpha: 1e-7 },
    model: { hidden: [200, 200] },
    text: ['on', '1e-3', 'no'],
    attack: null,
  };
  expect(readYaml(writeYaml(document))).toEqual({ document });
  expect(writeYaml(document)).toContain('hidden: [200, 200]');
});

it('takes an empty text for an empty document, and JSON for YAML', () => {
  expect(readYaml('')).toEqual({ document: {} });
  expect(readYaml('# nothing\n')).toEqual({ document: {} });
  expect(readYaml('{"rounds": 3}')).toEqual({ document: { rounds: 3 } });
});

it.each([
  ['rounds: 3\nlocal:\n\tlr: 1', 3, /tab/i],
  ['rounds: 3\nrounds: 4', 2, /twice/],
  ['rounds: 3\nlocal\n  lr: 1', 2, /colon/],
  ['rounds: 3\nmodel: {hidden: [1, 2', 2, /bracket/],
  ['rounds: a: b', 1, /line of its own/],
  ['- 1\n- 2', 1, /mapping/],
  ['a: &x 1\nb: *x', 2, /Aliases/],
  ['lr: .inf', 1, /no ordinary number/],
  ['a: 1\n---\nb: 2', 2, /second document/],
])('says line and fix of %j', (source, line, words) => {
  const fault = faultOf(readYaml(source));
  expect(fault?.line).toBe(line);
  expect(`${fault?.message ?? ''} ${fault?.fix ?? ''}`).toMatch(words);
  expect(fault?.fix).not.toBe('');
});

it('puts changes of other views into the text, and keeps its comments and order', () => {
  const text = '# why\nrounds: 3 # few\nlocal: {lr: 0.1}\nseed: 1\n';
  const before = { rounds: 3, local: { lr: 0.1, epochs: 1 }, seed: 1 };
  const after = { rounds: 5, local: { lr: 0.1, epochs: 2 }, seed: 1 };
  const state = { document: after, draft: { text, document: before, fault: null } };
  expect(yamlTextOf(state)).toBe('# why\nrounds: 5 # few\nlocal: {lr: 0.1, epochs: 2}\nseed: 1\n');
});

it('names the kind of a section that the text had left out', () => {
  const before = { algorithm: { kind: 'fedprox', mu: 0.1 } };
  const after = { algorithm: { kind: 'fedprox', mu: 0.5 } };
  const state = {
    document: after,
    draft: { text: 'rounds: 3\n', document: { rounds: 3, ...before }, fault: null },
  };
  const text = yamlTextOf({ ...state, document: { rounds: 3, ...after } });
  expect(readYaml(text)).toEqual({ document: { rounds: 3, ...after } });
});

it('replaces a section whose kind has changed', () => {
  const before = { partition: { kind: 'dirichlet', alpha: 0.5 } };
  const after = { partition: { kind: 'iid', clients: 3 } };
  const text = 'partition:\n  kind: dirichlet\n  alpha: 0.5 # uneven\n';
  const state = { document: after, draft: { text, document: before, fault: null } };
  expect(readYaml(yamlTextOf(state))).toEqual({ document: after });
});

it('finds the line of a setting, or of what should hold it', () => {
  const text =
    'rounds: 3\nlocal:\n  lr: -1\ncompression:\n  uplink:\n    - kind: quantize\n      bits: 99\n';
  const lineAt = (path: string) => text.slice(0, rangeOf(text, path).from).split('\n').length;
  expect(lineAt('local.lr')).toBe(3);
  expect(lineAt('local.momentum')).toBe(2);
  expect(lineAt('compression.uplink.0.bits')).toBe(7);
  expect(lineAt('sampling.fraction')).toBe(1);
});

it('tells a file of several runs from one of a run', () => {
  expect(readDocument('rounds: 3').sweep).toBeUndefined();
  const sweep = { base: { rounds: 3 }, axes: { seed: [1, 2] }, seeds: null, search: null };
  expect(readDocument('base: {rounds: 3}\naxes: {seed: [1, 2]}').sweep).toEqual(sweep);
  expect(() => readDocument('base: 3')).toThrow(/sweep/);
  expect(() => readDocument('base: {}\nsearch: {trials: 3}')).toThrow(/search/);
});

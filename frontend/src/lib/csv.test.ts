import { expect, it } from 'vitest';
import { toCsv } from './csv';
import { fileName } from './download';

it('quotes what has to be quoted, and nothing else', () => {
  expect(
    toCsv([
      ['a', 'b,c', 'say "hi"'],
      [1, null, 'two\nlines'],
    ]),
  ).toBe('a,"b,c","say ""hi"""\r\n1,,"two\nlines"\r\n');
});

it('makes names that every file system takes', () => {
  expect(fileName('Digits, α = 0.1: Test accuracy')).toBe('digits-0.1-test-accuracy');
  expect(fileName('///')).toBe('roundhouse');
});

/**
 * Fails where the start page needs more JavaScript than it may: what is loaded before Home can be
 * used, as it travels. Parts that are loaded later, such as charts, do not count.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 300;
const DIST = new URL('dist/', import.meta.url);
const ASSETS = new URL('assets/', DIST);
/** `import … from './a.js'` and `import './a.js'`; an `import('./a.js')` is a part that is loaded later. */
const STATIC_IMPORT = /(?:\bfrom|\bimport)\s*"\.\/([^"]+\.js)"/g;

const page = readFileSync(new URL('index.html', DIST), 'utf8');
const start = [...page.matchAll(/\/assets\/([^"]+\.js)"/g)].map(([, name]) => name);
const home = readdirSync(ASSETS).find((name) => /^home-page-.*\.js$/.test(name));
if (home === undefined || start.length === 0) {
  throw new Error('The build has no start page: run `make setup`, then try again.');
}

const sizes = new Map();
const wanted = [...start, home];
for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
  if (sizes.has(name)) continue;
  const source = readFileSync(new URL(name, ASSETS));
  sizes.set(name, gzipSync(source).length / 1000);
  wanted.push(...[...source.toString().matchAll(STATIC_IMPORT)].map(([, next]) => next));
}

const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
const verdict = `The start page needs ${total.toFixed(0)} kB of compressed JavaScript of ${LIMIT_KB} kB.`;
if (total >= LIMIT_KB) {
  const largest = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 8);
  const lines = largest.map(([name, size]) => `  ${size.toFixed(0).padStart(4)} kB  ${name}`);
  console.error([verdict, ...lines].join('\n'));
  process.exit(1);
}
console.log(verdict);

import { isObject, textOf, type Json } from './document-path';
import { formatReal } from './format';
import { humanize } from './humanize';

const MISSING = '–';

/** "algorithm.mu" as "Algorithm: mu"; the kind of a section is the section. */
export function settingTitle(path: string): string {
  const [section = '', ...rest] = path.split('.');
  const names = rest.filter((part) => part !== 'kind').map((part) => humanize(part).toLowerCase());
  return names.length === 0 ? humanize(section) : `${humanize(section)}: ${names.join(' ')}`;
}

/** The value of a setting as people write it. */
export function settingText(value: unknown): string {
  if (value === null || value === undefined) return MISSING;
  if (typeof value === 'number') return formatReal(value);
  if (Array.isArray(value)) return value.map(settingText).join(', ');
  if (!isObject(value)) return textOf(value as Json);
  const { kind, ...settings } = value;
  const rest = Object.entries(settings).map(([name, part]) => `${name} ${settingText(part)}`);
  return [...(kind === undefined ? [] : [textOf(kind)]), ...rest].join(' ');
}

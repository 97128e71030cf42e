import { humanize } from '@/lib/humanize';
import { strings } from '@/strings';

/** "local.lr" as "Local: learning rate". */
export function settingName(path: string): string {
  if (path === '') return strings.newRun.wholeDocument;
  const [section = '', ...rest] = path.split('.');
  const names = rest.filter((part) => part !== 'kind').map((part) => humanize(part).toLowerCase());
  return [humanize(section), ...names].join(': ');
}

/** A value of a setting in a few words. */
export function shortValue(value: unknown): string {
  if (value === null || value === undefined) return strings.newRun.prompt.none;
  if (Array.isArray(value)) {
    return value.length === 0 ? strings.newRun.prompt.none : value.map(shortValue).join(', ');
  }
  if (typeof value !== 'object') return typeof value === 'string' ? value : JSON.stringify(value);
  const { kind, ...settings } = value as Record<string, unknown>;
  const rest = Object.entries(settings).map(([name, each]) => `${name} ${shortValue(each)}`);
  return [...(kind === undefined ? [] : [shortValue(kind)]), ...rest].join(' ');
}

import { settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';

/** "local.lr" as "Local: learning rate". */
export function settingName(path: string): string {
  return path === '' ? strings.newRun.wholeDocument : settingTitle(path);
}

/** A value of a setting in a few words, with every digit: it is to be agreed to. */
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

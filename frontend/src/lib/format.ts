/** Numbers and times as people read them, in the browser's locale and the time zone of Settings. */

import { chosenTimeZone } from './time-zone';

const MISSING = '–';

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const formats = new Map<string, Intl.DateTimeFormat>();
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });

export function formatInteger(value: number | null | undefined): string {
  return value == null ? MISSING : whole.format(value);
}

/** 51,562 stays as it is, 1234567 becomes 1.2M. */
export function formatCount(value: number | null | undefined): string {
  if (value == null) return MISSING;
  return Math.abs(value) < 1e6 ? whole.format(value) : compact.format(value);
}

/** Four significant digits, scientific only where the number would be unreadable. */
export function formatReal(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return MISSING;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

function formatPercent(value: number | null | undefined, digits = 1): string {
  return value == null ? MISSING : `${(value * 100).toFixed(digits)}%`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Decimal units, three significant digits: 1.23 MB. */
export function formatBytes(value: number | null | undefined): string {
  if (value == null) return MISSING;
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const text = unit === 0 ? String(Math.round(size)) : String(Number(size.toPrecision(3)));
  return `${text} ${BYTE_UNITS[unit] ?? ''}`;
}

/** 0.43 s, 12 s, 3 m 20 s, 2 h 5 m, 3 d 4 h. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return MISSING;
  if (seconds < 0.9995) return `${whole.format(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} m ${total % 60} s`;
  if (total < 86_400) return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} m`;
  return `${Math.floor(total / 86_400)} d ${Math.floor((total % 86_400) / 3600)} h`;
}

const AGE_STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** "5 min ago"; the first minute is "now", so that a list does not flicker every second. */
export function formatAge(iso: string, now: number): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  for (const [unit, size] of AGE_STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, 'second');
}

/** Formats are dear to make, so each zone has its own once. */
function timeFormat(dateStyle?: 'medium'): Intl.DateTimeFormat {
  const timeZone = chosenTimeZone();
  const key = `${timeZone ?? ''} ${dateStyle ?? ''}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(undefined, {
      timeStyle: 'medium',
      ...(dateStyle && { dateStyle }),
      ...(timeZone !== undefined && { timeZone }),
    });
    formats.set(key, format);
  }
  return format;
}

export function formatDateTime(iso: string): string {
  return timeFormat('medium').format(new Date(iso));
}

export function formatTimeOfDay(iso: string): string {
  return timeFormat().format(new Date(iso));
}

/** Shares of one are per cents, everything else is a plain number. */
export function formatMetric(name: string, value: number | null | undefined): string {
  return name.includes('accuracy') ? formatPercent(value) : formatReal(value);
}

/** A refusal's reason, with the rule that refused where there is one. */
export function withRule(rule: string, reason: string): string {
  return rule === '' ? reason : `${rule}: ${reason}`;
}

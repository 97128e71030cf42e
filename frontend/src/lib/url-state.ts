/** What the address of a screen says beside its path. Unknown values are dropped, not refused. */

import { isObject, type JsonObject } from './document-path';

type Search = Record<string, unknown>;

function text(value: unknown): string | undefined {
  // The router reads digits in an address as a number.
  const string = typeof value === 'number' ? String(value) : value;
  return typeof string === 'string' && string.trim() !== '' ? string : undefined;
}

function flag(value: unknown): true | undefined {
  return value === true ? true : undefined;
}

function share(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value < 1 ? value : undefined;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((candidate) => candidate === value);
}

/** Without keys that are undefined, which an address cannot hold. */
function compact<T extends object>(search: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(search).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** A list in an address: "failed,paused". */
export function splitList(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(',').filter((part) => part !== '');
}

export function joinList(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(',');
}

export const SETTINGS_TABS = [
  'account',
  'security',
  'sessions',
  'tokens',
  'projects',
  'appearance',
  'people',
] as const;
export type SettingsTab = (typeof SETTINGS_TABS)[number];

export function readSettingsSearch(search: Search): { tab?: SettingsTab } {
  return compact({ tab: oneOf(search['tab'], SETTINGS_TABS) });
}

export interface AuditView {
  actor?: string;
  action?: string;
  object?: string;
  project?: string;
}

export function readAuditSearch(search: Search): AuditView {
  return compact({
    actor: text(search['actor']),
    action: text(search['action']),
    object: text(search['object']),
    project: text(search['project']),
  });
}

interface SignInView {
  next?: string;
  expired?: true;
  problem?: string;
  returned?: true;
}

export function readSignInSearch(search: Search): SignInView {
  const next = text(search['next']);
  // Only addresses of this site: "//elsewhere" and "https://elsewhere" are not.
  const isLocal = next !== undefined && /^\/(?![/\\])/.test(next);
  return compact({
    next: isLocal ? next : undefined,
    expired: flag(search['expired']),
    problem: text(search['problem']),
    returned: flag(search['returned']),
  });
}

/** One view of the list of runs; lists of values are separated by commas. */
export interface RunListView {
  search?: string;
  state?: string;
  method?: string;
  dataset?: string;
  tag?: string;
  starred?: true;
  trash?: true;
  sort?: string;
  columns?: string;
}

export function readRunListSearch(search: Search): RunListView {
  return compact({
    search: text(search['search']),
    state: text(search['state']),
    method: text(search['method']),
    dataset: text(search['dataset']),
    tag: text(search['tag']),
    starred: flag(search['starred']),
    trash: flag(search['trash']),
    sort: text(search['sort']),
    columns: text(search['columns']),
  });
}

export const CHART_AXES = ['rounds', 'bytes', 'seconds', 'simulated'] as const;
export type ChartAxis = (typeof CHART_AXES)[number];

/** How curves are drawn. */
export interface CurveView {
  x?: ChartAxis;
  logx?: boolean;
  logy?: boolean;
  /** Weight of the past in the moving average, below 1. */
  smooth?: number;
}

function readCurveView(search: Search): CurveView {
  return compact({
    x: oneOf(search['x'], CHART_AXES),
    logx: flag(search['logx']),
    logy: flag(search['logy']),
    smooth: share(search['smooth']),
  });
}

/** The same view without what is the default, so that addresses stay short. */
export function curveSearch(view: CurveView): CurveView {
  return compact({
    x: view.x === 'rounds' ? undefined : view.x,
    logx: view.logx === true ? true : undefined,
    logy: view.logy === true ? true : undefined,
    smooth: share(view.smooth),
  });
}

export const RUN_TABS = [
  'overview',
  'metrics',
  'clients',
  'data',
  'topology',
  'log',
  'spec',
  'model',
] as const;
export type RunTab = (typeof RUN_TABS)[number];

export function readRunSearch(search: Search): { tab?: RunTab } & CurveView {
  return { ...compact({ tab: oneOf(search['tab'], RUN_TABS) }), ...readCurveView(search) };
}

export const COMPARE_TABS = ['curves', 'cost', 'settings', 'table'] as const;
export type CompareTab = (typeof COMPARE_TABS)[number];

export interface CompareView extends CurveView {
  runs?: string;
  tab?: CompareTab;
  metric?: string;
  group?: string;
  /** What the results are set against. */
  cost?: ChartAxis;
}

export function readCompareSearch(search: Search): CompareView {
  return {
    ...compact({
      runs: text(search['runs']),
      tab: oneOf(search['tab'], COMPARE_TABS),
      metric: text(search['metric']),
      group: text(search['group']),
      cost: oneOf(search['cost'], CHART_AXES),
    }),
    ...readCurveView(search),
  };
}

/** What of the catalogue is listed. */
export interface CatalogueView {
  search?: string;
  section?: string;
}

export function readCatalogueSearch(search: Search): CatalogueView {
  return compact({ search: text(search['search']), section: text(search['section']) });
}

export const NEW_RUN_VIEWS = ['form', 'yaml', 'prompt'] as const;
export type NewRunView = (typeof NEW_RUN_VIEWS)[number];

/** What a new run starts from, and how it is described. */
export interface NewRunSearch {
  clone?: string;
  template?: string;
  view?: NewRunView;
  /** Settings to start from; what they leave out has its default. */
  spec?: JsonObject;
}

export function readNewRunSearch(search: Search): NewRunSearch {
  return compact({
    clone: text(search['clone']),
    template: text(search['template']),
    view: oneOf(search['view'], NEW_RUN_VIEWS),
    spec: isObject(search['spec']) ? search['spec'] : undefined,
  });
}

/** Short names for the generated types. */
import type { components, operations } from './schema';

type Schemas = components['schemas'];

export type Run = Schemas['Run'];
export type RunListItem = Schemas['RunRow'];
export type RunState = Run['state'];
export type RoundRow = Schemas['RoundRow'];
export type Event = Schemas['Event'];
export type CatalogueEntry = Schemas['CatalogueRow'];
export type IntentResult = Schemas['IntentResult'];
export type IntentField = Schemas['IntentField'];
export type IntentSweep = Schemas['IntentSweep'];
export type SweepInput = Schemas['SweepSpecInput'];
export type Sweep = Schemas['SweepDetail'];
export type SweepRow = Schemas['SweepRow'];
export type SweepPoint = Schemas['Point'];
export type SweepState = Schemas['SweepState'];
export type Estimate = Schemas['SpecEstimate'];
export type PartitionAnswer = Schemas['PartitionAnswer'];
export type PartitionReport = Schemas['PreviewReport'];

export type Comparison = Schemas['Comparison'];
export type ComparedRun = Comparison['runs'][number];
export type ClientList = Schemas['Clients'];
export type ClientRow = Schemas['ClientRow'];
/** Cells are column, row and value. */
export type ClientRounds = Omit<Schemas['ClientRounds'], 'cells'> & { cells: number[][] };
export type ClientMetric = ClientRounds['metric'];
export type LogLine = Schemas['LogLine'];
export type LogLevel = LogLine['level'];
export type RunOrdering = NonNullable<
  NonNullable<operations['runs_list']['parameters']['query']>['ordering']
>;

/** A spec in a request; what it leaves out gets its default. */
export type SpecInput = Schemas['RunSpecInput'];

/** What the live connection sends. */
export type RunFrame = Schemas['Frame'];

export type Role = Schemas['Role'];
export type Scope = Schemas['Scope'];
export type Token = Schemas['Token'];
export type AuditEntry = Schemas['AuditEntry'];

/** A project as its members see it. */
export type MyProject = Schemas['MyProject'];

export type Site = Schemas['Site'];
export type SiteInvited = Schemas['SiteInvited'];
export type SiteTask = Schemas['SiteTask'];
export type RunSite = Schemas['RunSite'];
/** The sites of a project beside a draft, and one of them. */
export type Eligibility = Schemas['Eligibility'];
export type SiteEligibility = Schemas['SiteEligibility'];

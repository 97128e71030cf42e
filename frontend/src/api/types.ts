/** Short names for the generated types. */
import type { components } from './schema';

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
export type Estimate = Schemas['SpecEstimate'];

/** A spec in a request; what it leaves out gets its default. */
export type SpecInput = Schemas['RunSpecInput'];

/** What the live connection sends. */
export type RunFrame = Schemas['Frame'];

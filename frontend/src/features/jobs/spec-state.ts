/** The document that is being written, and the YAML text that it was last written as. */

import type { JsonObject } from '@/lib/document-path';

/** Why a text says nothing. */
export interface YamlFault {
  line: number;
  column: number;
  /** Characters from the beginning. */
  at: number;
  message: string;
  fix: string;
}

export type YamlReading = { document: JsonObject } | { fault: YamlFault };

export interface YamlDraft {
  text: string;
  /** What the text says, with defaults; what it said last, where it says nothing now. */
  document: JsonObject;
  fault: YamlFault | null;
}

export interface SpecState {
  /** The one that every view shows. */
  document: JsonObject;
  /** Null until somebody writes YAML, or when the document was replaced since. */
  draft: YamlDraft | null;
}

/** The document changed in a view that is not YAML; the text follows when it is looked at. */
export function withDocument(state: SpecState, document: JsonObject): SpecState {
  return { ...state, document };
}

/** Another document altogether: no comment of the old text is about it. */
export function replaced(document: JsonObject): SpecState {
  return { document, draft: null };
}

/** A text was typed; one that cannot be read is kept and changes nothing. */
export function withText(
  state: SpecState,
  text: string,
  reading: YamlReading,
  complete: (document: JsonObject) => JsonObject,
): SpecState {
  if ('fault' in reading) {
    const document = state.document;
    return { document, draft: { text, document, fault: reading.fault } };
  }
  const document = complete(reading.document);
  return { document, draft: { text, document, fault: null } };
}

/** Take the document as it was before the text became unreadable. */
export function withoutFault(state: SpecState): SpecState {
  return { ...state, draft: null };
}

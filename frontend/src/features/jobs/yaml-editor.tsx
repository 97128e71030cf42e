import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { yaml } from '@codemirror/lang-yaml';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, Transaction } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { basicSetup } from 'codemirror';
import { getNonce } from 'get-nonce';
import { useEffect, useEffectEvent, useRef } from 'react';
import classes from './yaml-view.module.css';

export interface Mark {
  from: number;
  to: number;
  message: string;
}

interface YamlEditorProps {
  label: string;
  value: string;
  marks: readonly Mark[];
  /** Where to put the cursor; a new object puts it there again. */
  target: Mark | null;
  onChange: (text: string) => void;
}

/** The colours of the page, so that they follow its scheme. */
const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--rh-series-2)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--rh-series-4)' },
  { tag: [tags.string, tags.content, tags.attributeValue], color: 'var(--rh-brand)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--rh-text-dim)', fontStyle: 'italic' },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket], color: 'var(--rh-text-dim)' },
]);

const theme = EditorView.theme({
  '&': { fontSize: '0.8125rem', backgroundColor: 'transparent', color: 'var(--rh-text)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--rh-mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--rh-text)' },
  '.cm-cursor': { borderLeftColor: 'var(--rh-text)' },
  '.cm-gutters': {
    backgroundColor: 'var(--rh-surface-sunken)',
    color: 'var(--rh-text-dim)',
    borderRight: '1px solid var(--rh-border)',
  },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--rh-surface-hover)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground':
    { backgroundColor: 'var(--rh-brand-soft)' },
  '.cm-tooltip, .cm-panels': {
    backgroundColor: 'var(--rh-surface)',
    color: 'var(--rh-text)',
    border: '1px solid var(--rh-border-strong)',
  },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--rh-state-red)' },
});

/** A text editor for YAML. Tab moves on, as everywhere on the page; Enter keeps the indent. */
export function YamlEditor({ label, value, marks, target, onChange }: YamlEditorProps) {
  const box = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const changed = useEffectEvent(onChange);
  const first = useEffectEvent(() => value);
  const name = useEffectEvent(() => label);

  useEffect(() => {
    if (box.current === null) return;
    const view = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: first(),
        extensions: [
          basicSetup,
          yaml(),
          syntaxHighlighting(highlight),
          lintGutter(),
          theme,
          EditorView.lineWrapping,
          EditorView.cspNonce.of(getNonce() ?? ''),
          EditorView.contentAttributes.of({
            'aria-label': name(),
            spellcheck: 'false',
            tabindex: '0',
          }),
          EditorView.updateListener.of((update) => {
            const byUser = update.transactions.some(
              (transaction) => transaction.annotation(Transaction.remote) !== true,
            );
            if (update.docChanged && byUser) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    editor.current = view;
    return () => {
      view.destroy();
      editor.current = null;
    };
  }, []);

  useEffect(() => {
    const view = editor.current;
    // The text of a view's own changes comes back as it is.
    if (view === null || view.state.doc.toString() === value) return;
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert: value },
      annotations: Transaction.remote.of(true),
    });
  }, [value]);

  useEffect(() => {
    const view = editor.current;
    if (view === null) return;
    const { length } = view.state.doc;
    const diagnostics = marks.map(({ from, to, message }): Diagnostic => ({
      from: Math.min(from, length),
      to: Math.min(to, length),
      message,
      severity: 'error',
    }));
    view.dispatch(setDiagnostics(view.state, diagnostics));
  }, [marks, value]);

  useEffect(() => {
    const view = editor.current;
    if (view === null || target === null) return;
    const at = Math.min(target.from, view.state.doc.length);
    view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    view.focus();
  }, [target]);

  return <div ref={box} className={classes['editor']} />;
}

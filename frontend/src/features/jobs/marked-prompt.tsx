import { Fragment } from 'react';
import type { IntentField } from '@/api/types';
import { strings } from '@/strings';
import { settingName } from './setting-name';
import classes from './prompt-view.module.css';

interface Stretch {
  text: string;
  /** Settings that these words decide. */
  paths: readonly string[];
}

/** The prompt in stretches, each with the settings that come from it. */
export function stretchesOf(prompt: string, fields: readonly IntentField[]): Stretch[] {
  const spans = fields.flatMap(({ path, start, end }) =>
    typeof start === 'number' && typeof end === 'number' ? [{ path, start, end }] : [],
  );
  const edges = [...new Set([0, prompt.length, ...spans.flatMap((s) => [s.start, s.end])])].sort(
    (a, b) => a - b,
  );
  return edges.slice(0, -1).map((start, index) => {
    const end = edges[index + 1] ?? prompt.length;
    return {
      text: prompt.slice(start, end),
      paths: spans.filter((s) => s.start <= start && s.end >= end).map(({ path }) => path),
    };
  });
}

/** The prompt with the words marked that something was understood from. */
export function MarkedPrompt({
  prompt,
  fields,
}: {
  prompt: string;
  fields: readonly IntentField[];
}) {
  return (
    <p className={classes['prompt']} aria-label={strings.newRun.prompt.words}>
      {stretchesOf(prompt, fields).map(({ text, paths }, index) =>
        paths.length === 0 ? (
          <Fragment key={index}>{text}</Fragment>
        ) : (
          <mark key={index} className={classes['mark']} title={paths.map(settingName).join(', ')}>
            {text}
          </mark>
        ),
      )}
    </p>
  );
}

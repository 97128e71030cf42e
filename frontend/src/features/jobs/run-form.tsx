import { SegmentedControl, Skeleton, TextInput } from '@mantine/core';
import { lazy, Suspense, useMemo, useState, type SubmitEvent } from 'react';
import { kindText } from '@/api/kind-texts';
import type { CatalogueEntry, IntentSweep } from '@/api/types';
import { fieldId, FormContext } from '@/components/schema-form/form-context';
import type { JsonObject } from '@/lib/document-path';
import type { JsonSchema } from '@/lib/json-schema';
import { NEW_RUN_VIEWS, type NewRunView } from '@/lib/url-state';
import { strings } from '@/strings';
import { DocumentTools } from './document-tools';
import { FormCards } from './form-cards';
import { LaunchPanel } from './launch-panel';
import { PromptView } from './prompt-view';
import { placesOf } from './site-choice';
import { suggestName } from './suggest-name';
import { numRuns, sweepOf } from './sweep-draft';
import { SweepSummary } from './sweep-summary';
import { UnreadableNotice } from './unreadable-notice';
import { NAME_PATH, problemsIn, useLaunch } from './use-launch';
import { useSpecForm, type SpecForm } from './use-spec-form';
import classes from './run-form.module.css';

const text = strings.newRun;

/** The editor is large and arrives when it is asked for. */
const YamlView = lazy(async () => ({ default: (await import('./yaml-view')).YamlView }));

interface RunFormProps {
  root: JsonSchema;
  catalogue: readonly CatalogueEntry[];
  /** What to start from; defaults where it is left out. */
  initial: { name: string; document: JsonObject } | undefined;
  view: NewRunView;
  onView: (view: NewRunView) => void;
}

/** One document in three views: a form, its YAML, and words. */
export function RunForm({ root, catalogue, initial, view, onView }: RunFormProps) {
  const form = useSpecForm(root, initial?.document);
  const [name, setName] = useState(initial?.name ?? '');
  const [sweep, setSweep] = useState<IntentSweep | null>(null);
  const suggestion = suggestName(form.document, catalogue);
  const chosenName = name.trim() === '' ? suggestion : name.trim();
  const launch = useLaunch(form.setRefused);

  const context = useMemo(
    () => ({
      root,
      document: form.document,
      problems: form.placed,
      elsewhere: placesOf(form.document),
      describeKind: (path: string, kind: string) => kindText(catalogue, path, kind),
      setValue: form.setValue,
    }),
    [root, catalogue, form.document, form.placed, form.setValue],
  );

  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    launch.mutate({
      name: chosenName,
      spec: form.document,
      sweep: sweep ? sweepOf(sweep, form.document) : undefined,
    });
  }

  const nameError = problemsIn(launch.error).find((problem) => problem.path === NAME_PATH);
  return (
    <FormContext value={context}>
      <form className={classes['form']} onSubmit={submit} noValidate aria-label={text.title}>
        <div className={classes['cards']}>
          <TextInput
            id={fieldId(NAME_PATH)}
            label={text.name}
            description={text.nameHint}
            placeholder={suggestion}
            size="md"
            maxLength={120}
            value={name}
            error={nameError?.message}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <div className={classes['tools']}>
            <SegmentedControl
              aria-label={text.view}
              data={NEW_RUN_VIEWS.map((value) => ({ value, label: text.views[value] }))}
              value={view}
              onChange={onView}
            />
            <DocumentTools
              form={form}
              name={chosenName}
              sweep={sweep}
              onSweep={setSweep}
              onUnreadable={() => {
                onView('yaml');
              }}
            />
          </div>
          {sweep && (
            <SweepSummary
              sweep={sweep}
              onDrop={() => {
                setSweep(null);
              }}
            />
          )}
          <DocumentView
            root={root}
            form={form}
            view={view}
            onSweep={setSweep}
            onMend={() => {
              onView('yaml');
            }}
          />
        </div>
        <LaunchPanel
          form={form}
          isLaunching={launch.isPending}
          launchLabel={sweep ? text.launchRuns(numRuns(sweep)) : text.launch}
          error={launch.error}
          // The text's own view lists problems beside it, with their lines.
          problemsAre={view === 'yaml' ? 'counted' : 'listed'}
        />
      </form>
    </FormContext>
  );
}

interface DocumentViewProps {
  root: JsonSchema;
  form: SpecForm;
  view: NewRunView;
  onSweep: (sweep: IntentSweep | null) => void;
  onMend: () => void;
}

function DocumentView({ root, form, view, onSweep, onMend }: DocumentViewProps) {
  if (view === 'yaml') {
    return (
      <Suspense fallback={<Skeleton height={360} />}>
        <YamlView form={form} />
      </Suspense>
    );
  }
  // The other views could only show what the text no longer says.
  if (form.draft?.fault) return <UnreadableNotice form={form} onOpen={onMend} />;
  if (view === 'prompt') return <PromptView form={form} onSweep={onSweep} />;
  return <FormCards root={root} form={form} />;
}

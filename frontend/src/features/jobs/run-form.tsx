import { SegmentedControl, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState, type SubmitEvent } from 'react';
import { ApiError, asApiError } from '@/api/errors';
import { launchJob, newIdempotencyKey } from '@/api/jobs';
import { kindText } from '@/api/kind-texts';
import { runKeys } from '@/api/runs';
import type { CatalogueEntry, IntentSweep, Run } from '@/api/types';
import { fieldId, FormContext, type FieldProblem } from '@/components/schema-form/form-context';
import { Card } from '@/components/ui/card';
import { asDocument, type JsonObject } from '@/lib/document-path';
import type { JsonSchema } from '@/lib/json-schema';
import { strings } from '@/strings';
import { AdvancedGroups } from './advanced-groups';
import { cardsOf } from './form-layout';
import { LaunchPanel } from './launch-panel';
import { PromptView } from './prompt-view';
import { suggestName } from './suggest-name';
import { numRuns, sweepOf } from './sweep-draft';
import { FieldGrid, SectionFields } from './section-fields';
import { useSpecForm, type SpecForm } from './use-spec-form';
import classes from './run-form.module.css';

const text = strings.newRun;
const NAME_PATH = 'name';

type View = 'form' | 'prompt';

interface RunFormProps {
  root: JsonSchema;
  catalogue: readonly CatalogueEntry[];
  /** The run whose settings are copied. */
  original: Run | undefined;
  /** Settings to start from, where no run is copied. */
  initial: JsonObject | undefined;
}

function problemsIn(error: unknown): FieldProblem[] {
  if (!(error instanceof ApiError)) return [];
  return Object.entries(error.fields).flatMap(([path, messages]) =>
    messages.map((message) => ({ path, message, fix: '' })),
  );
}

export function RunForm({ root, catalogue, original, initial }: RunFormProps) {
  const form = useSpecForm(root, original ? asDocument(original.spec) : initial);
  const [name, setName] = useState(original ? strings.run.cloneSuffix(original.name) : '');
  const [view, setView] = useState<View>('form');
  const [sweep, setSweep] = useState<IntentSweep | null>(null);
  const suggestion = suggestName(form.document, catalogue);
  const launch = useLaunch(form.setRefused);

  const context = useMemo(
    () => ({
      root,
      document: form.document,
      problems: form.placed,
      describeKind: (path: string, kind: string) => kindText(catalogue, path, kind),
      setValue: form.setValue,
    }),
    [root, catalogue, form.document, form.placed, form.setValue],
  );

  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const chosen = name.trim();
    launch.mutate({
      name: chosen === '' ? suggestion : chosen,
      spec: form.document,
      sweep: sweep ? sweepOf(sweep) : undefined,
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
          <SegmentedControl
            aria-label={text.view}
            data={[
              { value: 'form', label: text.views.form },
              { value: 'prompt', label: text.views.prompt },
            ]}
            value={view}
            onChange={(chosen) => {
              setView(chosen);
            }}
          />
          {view === 'prompt' ? (
            <PromptView form={form} sweep={sweep} onSweep={setSweep} />
          ) : (
            <FormCards root={root} form={form} />
          )}
        </div>
        <LaunchPanel
          form={form}
          isLaunching={launch.isPending}
          launchLabel={sweep ? text.launchRuns(numRuns(sweep)) : text.launch}
          error={launch.error}
        />
      </form>
    </FormContext>
  );
}

/** Everything that can be set, section by section. */
function FormCards({ root, form }: { root: JsonSchema; form: SpecForm }) {
  return (
    <>
      {cardsOf(root).map((card) => (
        <Card key={card.id} {...text.cards[card.id]}>
          <FieldGrid>
            {card.sections.map((section) => (
              <SectionFields key={section} section={section} depth="basic" />
            ))}
          </FieldGrid>
        </Card>
      ))}
      <AdvancedGroups form={form} />
    </>
  );
}

function useLaunch(setRefused: (problems: readonly FieldProblem[]) => void) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  // One key per attempt of the user: the same request sent again must not launch again.
  const key = useRef(newIdempotencyKey());
  return useMutation({
    mutationFn: (job: Omit<Parameters<typeof launchJob>[0], 'idempotencyKey'>) =>
      launchJob({ ...job, idempotencyKey: key.current }),
    onSuccess: (job) => {
      void queries.invalidateQueries({ queryKey: runKeys.lists() });
      const run = job.runs[0];
      if (run !== undefined) void navigate({ to: '/runs/$runId', params: { runId: run.id } });
    },
    onError: (error) => {
      if (asApiError(error).isTransient) return;
      key.current = newIdempotencyKey();
      setRefused(problemsIn(error).filter((problem) => problem.path !== NAME_PATH));
    },
  });
}

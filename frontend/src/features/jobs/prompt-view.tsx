import { Alert, Button, Table, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconHelpCircle, IconMessage } from '@tabler/icons-react';
import { useState } from 'react';
import { draftFrom } from '@/api/intents';
import { asApiError } from '@/api/errors';
import type { IntentField, IntentResult, IntentSweep } from '@/api/types';
import { Card } from '@/components/ui/card';
import { asDocument, isEqual } from '@/lib/document-path';
import { strings } from '@/strings';
import { MarkedPrompt } from './marked-prompt';
import { settingName, shortValue } from './setting-name';
import { FieldGrid, SectionFields } from './section-fields';
import type { SpecForm } from './use-spec-form';
import classes from './prompt-view.module.css';

const text = strings.newRun.prompt;

interface PromptViewProps {
  form: SpecForm;
  onSweep: (sweep: IntentSweep | null) => void;
}

interface Asked {
  prompt: string;
  isFollowUp: boolean;
}

/** A sentence in, a draft out: every value with the words that it comes from. */
export function PromptView({ form, onSweep }: PromptViewProps) {
  const [prompt, setPrompt] = useState('');
  const [hasDraft, setHasDraft] = useState(false);
  const ask = useMutation({
    mutationFn: ({ prompt: asked, isFollowUp }: Asked) =>
      draftFrom(asked, isFollowUp ? form.document : null),
    onSuccess: (result) => {
      if (result.declined !== null) return;
      const spec = result.spec ?? result.sweep?.base;
      if (spec) form.replace(asDocument(spec));
      onSweep(result.sweep ?? null);
      setHasDraft(true);
      setPrompt('');
    },
  });

  function send(): void {
    const asked = prompt.trim();
    if (asked !== '') ask.mutate({ prompt: asked, isFollowUp: hasDraft });
  }

  return (
    <>
      <Card title={hasDraft ? text.followUpLabel : text.label} text={text.hint}>
        <Textarea
          aria-label={hasDraft ? text.followUpLabel : text.label}
          placeholder={hasDraft ? text.followUpExample : text.example}
          autosize
          minRows={2}
          maxRows={10}
          maxLength={4000}
          value={prompt}
          onChange={(event) => {
            setPrompt(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey) return;
            event.preventDefault();
            send();
          }}
        />
        <div className={classes['buttons']}>
          <Button
            onClick={send}
            loading={ask.isPending}
            disabled={prompt.trim() === ''}
            leftSection={<IconMessage size={16} aria-hidden />}
          >
            {hasDraft ? text.sendFollowUp : text.send}
          </Button>
          {hasDraft && (
            <Button
              variant="subtle"
              color="gray"
              onClick={() => {
                setHasDraft(false);
                onSweep(null);
                form.reset();
                ask.reset();
              }}
            >
              {text.restart}
            </Button>
          )}
        </div>
        {ask.isError && (
          <Alert color="red" variant="light" role="alert" title={text.failed}>
            {asApiError(ask.error).message}
          </Alert>
        )}
      </Card>
      <div aria-live="polite" className={classes['answer']}>
        {ask.data && <Draft asked={ask.variables.prompt} result={ask.data} />}
      </div>
      {ask.data && <TouchedSections fields={ask.data.fields} />}
    </>
  );
}

function Draft({ asked, result }: { asked: string; result: IntentResult }) {
  if (result.declined) {
    return (
      <Alert color="gray" variant="light" role="status" title={text.declined}>
        {result.declined}
      </Alert>
    );
  }
  const said = result.fields.filter(({ source }) => source === 'prompt' || source === 'rule');
  return (
    <>
      <Notes color="yellow" title={text.questions} icon={<IconHelpCircle size={16} aria-hidden />}>
        {result.questions.map(({ field, question }) => (
          <li key={field}>
            <b>{settingName(field)}:</b> {question}
          </li>
        ))}
      </Notes>
      <Notes color="gray" title={text.warnings} icon={<IconAlertTriangle size={16} aria-hidden />}>
        {result.warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </Notes>
      <Card title={text.understood} text={said.length > 0 ? text.understoodText : text.nothing}>
        <MarkedPrompt prompt={asked} fields={said} />
        {said.length > 0 && <SaidFields fields={said} result={result} />}
      </Card>
    </>
  );
}

interface NotesProps {
  color: string;
  title: string;
  icon: React.ReactNode;
  children: React.ReactNode[];
}

function Notes({ color, title, icon, children }: NotesProps) {
  if (children.length === 0) return null;
  return (
    <Alert color={color} variant="light" title={title} icon={icon}>
      <ul className={classes['notes']}>{children}</ul>
    </Alert>
  );
}

function SaidFields({ fields, result }: { fields: readonly IntentField[]; result: IntentResult }) {
  const shown = fields.filter(({ value }) => value !== null);
  const before = new Map(result.changes.map((change) => [change.path, change.before]));
  return (
    <Table.ScrollContainer minWidth={420}>
      <Table aria-label={text.understood}>
        <Table.Thead>
          <Table.Tr>
            {Object.values(text.columns).map((column) => (
              <Table.Th key={column}>{column}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.map(({ path, value, source, text: words }) => {
            const old = before.get(path);
            return (
              <Table.Tr key={path}>
                <Table.Td>{settingName(path)}</Table.Td>
                <Table.Td>
                  <b>{shortValue(value)}</b>
                  {before.has(path) && !isEqual(old as never, value as never) && (
                    <span className={classes['old']}> {text.was(shortValue(old))}</span>
                  )}
                </Table.Td>
                <Table.Td>{text.sources[source]}</Table.Td>
                <Table.Td>{words === '' ? '' : `“${words}”`}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** Inputs for what was said, so that one wrong value is mended without another sentence. */
function TouchedSections({ fields }: { fields: readonly IntentField[] }) {
  const sections = new Set(
    fields.filter(({ source }) => source !== 'default').map(({ path }) => path.split('.')[0] ?? ''),
  );
  if (sections.size === 0) return null;
  return (
    <Card title={text.settings} text={text.settingsText}>
      <FieldGrid>
        {[...sections].map((section) => (
          <SectionFields key={section} section={section} depth="all" />
        ))}
      </FieldGrid>
    </Card>
  );
}

import { Alert, Button, FileButton, Menu } from '@mantine/core';
import { IconAdjustments, IconFileDownload, IconFileUpload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { IntentSweep } from '@/api/types';
import { ButtonLink } from '@/components/ui/links';
import { downloadFile, fileName } from '@/lib/download';
import { strings } from '@/strings';
import classes from './run-form.module.css';
import { sweepOf } from './sweep-draft';
import { TemplatesPopover } from './templates-popover';
import type { SpecForm } from './use-spec-form';

const text = strings.newRun.files;
/** The server refuses longer documents too. */
const MAX_BYTES = 1_000_000;

interface DocumentToolsProps {
  form: SpecForm;
  /** What files and templates are called. */
  name: string;
  sweep: IntentSweep | null;
  onSweep: (sweep: IntentSweep | null) => void;
  /** A file was opened that is no YAML; its text is in the form's draft. */
  onUnreadable: () => void;
}

/** Documents in and out: templates, files, and the base of a sweep. */
export function DocumentTools({ form, name, sweep, onSweep, onUnreadable }: DocumentToolsProps) {
  const open = useMutation({
    mutationFn: async (file: File) => {
      if (file.size > MAX_BYTES) throw new Error(text.tooLarge);
      const [{ readDocument }, source] = await Promise.all([
        import('./document-files'),
        file.text(),
      ]);
      return readDocument(source);
    },
    onSuccess: ({ source, reading, sweep: read }) => {
      if (read) form.replace(read.base);
      else form.setText(source, reading);
      onSweep(read ?? null);
      if ('fault' in reading) onUnreadable();
    },
  });
  const save = async (kind: 'yaml' | 'json') => {
    const { printDocument } = await import('./document-files');
    const base = sweep ? sweepOf(sweep, form.document) : null;
    const content = printDocument(form, base, kind);
    const type = kind === 'json' ? 'application/json' : 'application/yaml';
    downloadFile(`${fileName(name)}.${kind}`, new Blob([content], { type }));
  };
  return (
    <>
      <div className={classes['documents']}>
        <TemplatesPopover form={form} name={name} />
        <FileButton
          accept=".yaml,.yml,.json,application/json,application/yaml"
          onChange={(file) => {
            if (file !== null) open.mutate(file);
          }}
        >
          {(props) => (
            <Button
              {...props}
              size="xs"
              variant="default"
              loading={open.isPending}
              leftSection={<IconFileUpload size={14} aria-hidden />}
            >
              {text.import}
            </Button>
          )}
        </FileButton>
        <Menu position="bottom-end" shadow="md">
          <Menu.Target>
            <Button
              size="xs"
              variant="default"
              disabled={(form.draft?.fault ?? null) !== null}
              leftSection={<IconFileDownload size={14} aria-hidden />}
            >
              {text.export}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => void save('yaml')}>{text.yaml}</Menu.Item>
            <Menu.Item onClick={() => void save('json')}>{text.json}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
        {sweep === null && (
          <ButtonLink
            to="/sweeps/new"
            search={{ spec: form.changes() }}
            size="xs"
            variant="default"
            aria-label={strings.newRun.sweepThese}
            leftSection={<IconAdjustments size={14} aria-hidden />}
          >
            {strings.newRun.sweep}
          </ButtonLink>
        )}
      </div>
      {open.isError && (
        <Alert
          color="red"
          variant="light"
          role="alert"
          className={classes['refusal'] ?? ''}
          withCloseButton
          closeButtonLabel={strings.actions.close}
          onClose={open.reset}
        >
          {open.error.message}
        </Alert>
      )}
    </>
  );
}

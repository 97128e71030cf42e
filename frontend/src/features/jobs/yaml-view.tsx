import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { strings } from '@/strings';
import { settingName } from './setting-name';
import type { YamlFault } from './spec-state';
import type { SpecForm } from './use-spec-form';
import { rangeOf, readYaml, yamlTextOf } from './yaml-document';
import { YamlEditor, type Mark } from './yaml-editor';
import classes from './yaml-view.module.css';

const text = strings.newRun.yaml;

interface Finding {
  /** Of which setting; nothing where the text cannot be read at all. */
  name: string;
  message: string;
  from: number;
  to: number;
  line: number;
}

/** The document as text; problems are marked in the lines that they are about. */
export function YamlView({ form }: { form: SpecForm }) {
  const { document, draft, problems } = form;
  const value = useMemo(() => yamlTextOf({ document, draft }), [document, draft]);
  const fault = draft?.fault ?? null;
  const [target, setTarget] = useState<Mark | null>(null);
  const findings = useMemo((): Finding[] => {
    if (fault !== null) return [findingOf(fault)];
    const found = problems.map(({ path, message, fix }) => {
      const { from, to } = rangeOf(value, path);
      const line = value.slice(0, from).split('\n').length;
      return { name: settingName(path), message: `${message} ${fix}`, from, to, line };
    });
    return found.sort((a, b) => a.from - b.from);
  }, [fault, problems, value]);

  return (
    <Card
      title={text.title}
      text={text.text}
      aside={<CopyButton label={text.copy} value={value} />}
    >
      <YamlEditor
        label={text.label}
        value={value}
        marks={findings}
        target={target}
        onChange={(next) => {
          form.setText(next, readYaml(next));
        }}
      />
      <div aria-live="polite" className={classes['problems']}>
        {findings.length > 0 && (
          <Alert
            color="red"
            variant="light"
            icon={<IconAlertTriangle size={16} aria-hidden />}
            title={fault ? text.faultTitle : strings.newRun.problemsTitle(findings.length)}
          >
            <ul className={classes['list']}>
              {findings.map((finding) => (
                <li key={`${finding.name} ${finding.message}`}>
                  <button
                    type="button"
                    className={classes['line']}
                    onClick={() => {
                      setTarget({ ...finding });
                    }}
                  >
                    {text.line(finding.line)}
                  </button>{' '}
                  {finding.name && <b>{finding.name}</b>} {finding.message}
                </li>
              ))}
            </ul>
          </Alert>
        )}
      </div>
    </Card>
  );
}

function findingOf({ at, line, message, fix }: YamlFault): Finding {
  return { name: '', message: `${message} ${fix}`, from: at, to: at + 1, line };
}

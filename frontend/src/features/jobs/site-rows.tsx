import { ActionIcon, Button, Checkbox, TextInput } from '@mantine/core';
import {
  IconCircleCheck,
  IconCircleX,
  IconHandStop,
  IconHelpCircle,
  IconX,
} from '@tabler/icons-react';
import { useState } from 'react';
import type { SiteChoice } from '@/api/sites';
import type { Eligibility, SiteEligibility } from '@/api/types';
import { fieldId, useFieldError } from '@/components/schema-form/form-context';
import { TextLink } from '@/components/ui/links';
import { ScrollRegion } from '@/components/ui/scroll-region';
import { SiteBadge } from '@/components/ui/site-badge';
import { formatInteger, withRule } from '@/lib/format';
import { strings } from '@/strings';
import classes from './site-picker.module.css';

const text = strings.sitePicker;
/** More than these are looked for by name. */
const FEW = 8;
const WILLING: readonly SiteEligibility['verdict'][] = ['accepted', 'needs_approval'];

const ICONS = {
  accepted: IconCircleCheck,
  needs_approval: IconHandStop,
  refused: IconCircleX,
  unfit: IconCircleX,
  unknown: IconHelpCircle,
};

interface SiteRowsProps {
  answer: Eligibility;
  choice: SiteChoice;
  onChoose: (sites: readonly string[]) => void;
}

/** Every site of the project: what it has, whether it is there, and what it would say. */
export function SiteRows({ answer, choice, onChoose }: SiteRowsProps) {
  const [search, setSearch] = useState('');
  const { sites, unknown_names: gone } = answer;
  const error = useSitesError();
  const looked = search.trim().toLowerCase();
  const found = sites.filter(({ name }) => name.toLowerCase().includes(looked));
  const willing = sites.filter(({ verdict }) => WILLING.includes(verdict));
  const chosen = new Set(choice.sites);
  return (
    <fieldset id={fieldId('runtime.sites')} tabIndex={-1} className={classes['sites']}>
      <legend className={classes['legend']}>
        {text.list} <span className={classes['note']}>{text.count(chosen.size, sites.length)}</span>
      </legend>
      <div className={classes['tools']}>
        {sites.length > FEW && (
          <TextInput
            size="xs"
            type="search"
            aria-label={text.search}
            placeholder={text.search}
            value={search}
            onChange={(event) => {
              setSearch(event.currentTarget.value);
            }}
          />
        )}
        <Button
          size="compact-xs"
          variant="default"
          disabled={willing.length === 0}
          onClick={() => {
            onChoose(willing.map(({ name }) => name));
          }}
        >
          {text.all}
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          disabled={chosen.size === 0}
          onClick={() => {
            onChoose([]);
          }}
        >
          {text.none}
        </Button>
      </div>
      {error && <p className={classes['error']}>{error}</p>}
      <ScrollRegion label={text.list} maxHeight={460}>
        <ul className={classes['rows']}>
          {gone.map((name) => (
            <GoneRow
              key={name}
              name={name}
              onRemove={() => {
                onChoose(choice.sites.filter((other) => other !== name));
              }}
            />
          ))}
          {found.map((site) => (
            <Row
              key={site.site}
              site={site}
              dataset={choice.dataset}
              isChosen={chosen.has(site.name)}
              onToggle={(isIn) => {
                const others = choice.sites.filter((name) => name !== site.name);
                onChoose(isIn ? [...others, site.name] : others);
              }}
            />
          ))}
        </ul>
      </ScrollRegion>
    </fieldset>
  );
}

/** What is wrong with who takes part. */
function useSitesError(): string {
  const found = [
    useFieldError('runtime.sites'),
    useFieldError('runtime.placement'),
    useFieldError('partition'),
    useFieldError('partition.clients'),
  ];
  return found.filter((each) => each !== undefined).join(' ');
}

interface RowProps {
  site: SiteEligibility;
  dataset: string;
  isChosen: boolean;
  onToggle: (isChosen: boolean) => void;
}

function Row({ site, dataset, isChosen, onToggle }: RowProps) {
  const { name, state, presence } = site;
  const offer = site.datasets.find((each) => each.name === dataset);
  return (
    <li className={classes['row']} data-chosen={isChosen}>
      <Checkbox
        size="sm"
        label={name}
        checked={isChosen}
        classNames={{ label: classes['name'] ?? '' }}
        onChange={(event) => {
          onToggle(event.currentTarget.checked);
        }}
      />
      <SiteBadge state={state} presence={presence} />
      <span className={classes['note']}>
        {offer !== undefined
          ? text.rows(formatInteger(offer.num_train), formatInteger(offer.num_test))
          : dataset !== '' && text.noRows(dataset)}
      </span>
      <TextLink
        to="/sites/$siteId"
        params={{ siteId: site.site }}
        target="_blank"
        size="xs"
        aria-label={text.open(name)}
      >
        {text.openShort}
      </TextLink>
      {dataset !== '' && <VerdictLine site={site} />}
    </li>
  );
}

function VerdictLine({ site: { verdict, reasons } }: { site: SiteEligibility }) {
  const Icon = ICONS[verdict];
  return (
    <div className={classes['verdict']} data-verdict={verdict}>
      <Icon size={16} aria-hidden />
      <div>
        <span className={classes['word']}>{text.verdicts[verdict]}</span>
        {reasons.map(({ rule, message, fix }) =>
          rule === '' ? (
            <span key={message}>{`: ${message} ${fix}`}</span>
          ) : (
            <p key={rule + message} className={classes['reason']}>
              {withRule(rule, message)} {fix}
            </p>
          ),
        )}
      </div>
    </div>
  );
}

/** A name in the document that nobody has. */
function GoneRow({ name, onRemove }: { name: string; onRemove: () => void }) {
  return (
    <li className={classes['row']} data-chosen>
      <span className={classes['name']}>{name}</span>
      <span className={classes['error']}>{text.gone}</span>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={text.remove(name)}
        onClick={onRemove}
      >
        <IconX size={14} aria-hidden />
      </ActionIcon>
    </li>
  );
}

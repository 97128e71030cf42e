import '@mantine/spotlight/styles.css';
import { Modal, useMantineColorScheme, VisuallyHidden } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import {
  IconAdjustments,
  IconBook,
  IconDeviceDesktop,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconPlus,
  IconRefresh,
  IconSearch,
  IconSun,
  IconTrain,
  type Icon,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { firstRunsQuery } from '@/api/runs';
import { catalogueQuery } from '@/api/spec';
import { sectionTitle } from '@/features/catalogue/catalogue-page';
import { findEntries } from '@/features/catalogue/search';
import { strings } from '@/strings';
import classes from './command-palette.module.css';
import { keepEarlyKeys } from './early-keys';
import { SCREENS } from './screens';
import { useSignOut } from './use-sign-out';

const text = strings.palette;
const [store, palette] = createSpotlight();
const MAX_RUNS = 6;
const MAX_ENTRIES = 6;

interface Command {
  id: string;
  label: string;
  detail?: string;
  Icon: Icon;
  onTrigger: () => void;
}

interface CommandPaletteProps {
  /** Counts up each time that the palette is asked for. */
  openings: number;
  onShowShortcuts: () => void;
}

/** Go anywhere and do anything by typing a part of its name. */
export function CommandPalette({ openings, onShowShortcuts }: CommandPaletteProps) {
  const [query, setQuery] = useState('');
  const groups = [
    { label: text.groups.screens, commands: useScreens(query) },
    { label: text.groups.actions, commands: useActions(query, onShowShortcuts) },
    { label: text.groups.runs, commands: useRuns(query) },
    { label: text.groups.catalogue, commands: useEntries(query) },
  ].filter(({ commands }) => commands.length > 0);

  useEffect(() => {
    if (openings === 0) return;
    palette.open();
    return keepEarlyKeys();
  }, [openings]);

  return (
    <Spotlight.Root
      store={store}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      scrollable
      maxHeight={420}
    >
      {/* Gives the dialog its name. */}
      <VisuallyHidden>
        <Modal.Title>{text.label}</Modal.Title>
      </VisuallyHidden>
      <Spotlight.Search
        aria-label={text.placeholder}
        placeholder={text.placeholder}
        leftSection={<IconSearch size={18} stroke={1.6} aria-hidden />}
      />
      <Spotlight.ActionsList>
        {groups.map(({ label, commands }) => (
          <Spotlight.ActionsGroup key={label} label={label}>
            {commands.map(({ id, label: name, detail, Icon: Symbol, onTrigger }) => (
              <Spotlight.Action
                key={id}
                className={classes['action'] ?? ''}
                label={name}
                {...(detail !== undefined && { description: detail })}
                leftSection={<Symbol size={18} stroke={1.6} aria-hidden />}
                onClick={onTrigger}
              />
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {groups.length === 0 && <Spotlight.Empty>{text.nothing}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function matching(commands: readonly Command[], query: string): Command[] {
  const words = query.trim().toLowerCase().split(/\s+/);
  return commands.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
}

function useScreens(query: string): Command[] {
  const navigate = useNavigate();
  const commands = SCREENS.map(({ to, title, Icon: Symbol }) => ({
    id: to,
    label: title,
    Icon: Symbol,
    onTrigger: () => void navigate({ to }),
  }));
  return matching(commands, query);
}

function useActions(query: string, onShowShortcuts: () => void): Command[] {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut();
  const { actions } = text;
  const commands: (Omit<Command, 'id'> & { label: string })[] = [
    { label: actions.newRun, Icon: IconPlus, onTrigger: () => void navigate({ to: '/new' }) },
    {
      label: actions.newSweep,
      Icon: IconAdjustments,
      onTrigger: () => void navigate({ to: '/sweeps/new' }),
    },
    {
      label: actions.light,
      Icon: IconSun,
      onTrigger: () => {
        setColorScheme('light');
      },
    },
    {
      label: actions.dark,
      Icon: IconMoon,
      onTrigger: () => {
        setColorScheme('dark');
      },
    },
    {
      label: actions.system,
      Icon: IconDeviceDesktop,
      onTrigger: () => {
        setColorScheme('auto');
      },
    },
    { label: actions.shortcuts, Icon: IconKeyboard, onTrigger: onShowShortcuts },
    {
      label: actions.reload,
      Icon: IconRefresh,
      onTrigger: () => {
        window.location.reload();
      },
    },
    {
      label: actions.signOut,
      Icon: IconLogout,
      onTrigger: () => {
        signOut.mutate();
      },
    },
  ];
  return matching(
    commands.map((command) => ({ ...command, id: command.label })),
    query,
  );
}

/** The newest runs, or those that have what is typed in their name. */
function useRuns(query: string): Command[] {
  const navigate = useNavigate();
  const [settled] = useDebouncedValue(query.trim(), 200);
  const { data } = useQuery(firstRunsQuery({ search: settled, pageSize: MAX_RUNS }));
  return (data?.results ?? []).map(({ id, name, number, state }) => ({
    id,
    label: name,
    detail: `${strings.run.number(number)} · ${strings.states[state]}`,
    Icon: IconTrain,
    onTrigger: () => void navigate({ to: '/runs/$runId', params: { runId: id } }),
  }));
}

/** Methods, models and the like, once something is typed. */
function useEntries(query: string): Command[] {
  const navigate = useNavigate();
  const { data } = useQuery(catalogueQuery);
  if (query.trim() === '') return [];
  return findEntries(data ?? [], { search: query })
    .slice(0, MAX_ENTRIES)
    .map(({ section, kind, title }) => ({
      id: `${section} ${kind}`,
      label: title,
      detail: sectionTitle(section),
      Icon: IconBook,
      onTrigger: () =>
        void navigate({ to: '/catalogue/$section/$kind', params: { section, kind } }),
    }));
}

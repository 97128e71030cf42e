import { Kbd, Modal, Switch } from '@mantine/core';
import { Fragment } from 'react';
import { strings } from '@/strings';
import { SCREENS } from './screens';
import classes from './shortcut-help.module.css';
import { useSingleKeys } from './use-shortcuts';

const text = strings.shortcuts;

interface Shortcut {
  /** Pressed together, or one after the other. */
  keys: readonly string[];
  joiner: string;
  what: string;
}

const SHORTCUTS: readonly Shortcut[] = [
  { keys: [text.keys.mod, 'K'], joiner: '+', what: text.palette },
  { keys: ['?'], joiner: '', what: text.help },
  { keys: ['/'], joiner: '', what: text.search },
  { keys: ['n'], joiner: '', what: text.newRun },
  ...SCREENS.map(({ key, hint }) => ({ keys: ['g', key], joiner: text.then, what: hint })),
  { keys: [text.keys.arrows], joiner: '', what: text.tabs },
  { keys: [text.keys.esc], joiner: '', what: text.close },
];

interface ShortcutHelpProps {
  isOpen: boolean;
  onClose: () => void;
}

export function ShortcutHelp({ isOpen, onClose }: ShortcutHelpProps) {
  const [hasSingleKeys, setSingleKeys] = useSingleKeys();
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={text.title}
      closeButtonProps={{ 'aria-label': strings.actions.close }}
    >
      <p className={classes['intro']}>{text.intro}</p>
      <dl className={classes['list']}>
        {SHORTCUTS.map(({ keys, joiner, what }) => (
          <div key={what} className={classes['shortcut']}>
            <dt>{what}</dt>
            <dd>
              {keys.map((key, index) => (
                <Fragment key={key}>
                  {index > 0 && <span className={classes['joiner']}>{joiner}</span>}
                  <Kbd>{key}</Kbd>
                </Fragment>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <Switch
        label={text.single}
        description={text.singleHint}
        checked={hasSingleKeys}
        onChange={(event) => {
          setSingleKeys(event.currentTarget.checked);
        }}
      />
    </Modal>
  );
}

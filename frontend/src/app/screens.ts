import {
  IconAdjustments,
  IconBook,
  IconChartLine,
  IconHome,
  IconListDetails,
  IconServer2,
} from '@tabler/icons-react';
import { strings } from '@/strings';

/** The screens that can be gone to from anywhere; `key` is pressed after g. */
export const SCREENS = [
  { to: '/', title: strings.app.home, key: 'h', hint: strings.shortcuts.home, Icon: IconHome },
  {
    to: '/runs',
    title: strings.app.runs,
    key: 'r',
    hint: strings.shortcuts.runs,
    Icon: IconListDetails,
  },
  {
    to: '/compare',
    title: strings.app.compare,
    key: 'c',
    hint: strings.shortcuts.compare,
    Icon: IconChartLine,
  },
  {
    to: '/sweeps',
    title: strings.app.sweeps,
    key: 's',
    hint: strings.shortcuts.sweeps,
    Icon: IconAdjustments,
  },
  {
    to: '/catalogue',
    title: strings.app.catalogue,
    key: 'k',
    hint: strings.shortcuts.catalogue,
    Icon: IconBook,
  },
  {
    to: '/sites',
    title: strings.app.sites,
    key: 'i',
    hint: strings.shortcuts.sites,
    Icon: IconServer2,
  },
] as const;

/** Every English text of the screens. Texts about settings come from the server's schemas. */
import { access } from './access';
import { catalogue } from './catalogue';
import { charts } from './charts';
import { common } from './common';
import { compare } from './compare';
import { home } from './home';
import { jobs } from './jobs';
import { palette } from './palette';
import { runList } from './run-list';
import { runParts } from './run-parts';
import { runs } from './runs';
import { sites } from './sites';
import { sweeps } from './sweeps';

export const strings = {
  ...common,
  access,
  ...catalogue,
  ...charts,
  ...compare,
  ...home,
  ...jobs,
  ...palette,
  ...runList,
  ...runParts,
  ...runs,
  ...sites,
  ...sweeps,
};

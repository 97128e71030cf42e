/** Every English text of the screens. Texts about settings come from the server's schemas. */
import { access } from './access';
import { charts } from './charts';
import { common } from './common';
import { compare } from './compare';
import { jobs } from './jobs';
import { runList } from './run-list';
import { runParts } from './run-parts';
import { runs } from './runs';

export const strings = {
  ...common,
  access,
  ...charts,
  ...compare,
  ...jobs,
  ...runList,
  ...runParts,
  ...runs,
};

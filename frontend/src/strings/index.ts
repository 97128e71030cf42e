/** Every English text of the screens. Texts about settings come from the server's schemas. */
import { common } from './common';
import { jobs } from './jobs';
import { runs } from './runs';

export const strings = { ...common, ...jobs, ...runs };

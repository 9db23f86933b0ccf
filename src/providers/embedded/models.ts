import { ApiError } from './api-error.ts';

/**
 * Any model name is accepted, since what answers is always the same; these are the ones that are
 * listed, under their honest names and under OpenAI's that stand in configurations.
 */
const ids = ['pocketsphinx-en-us', 'flite', 'rule-based-receptionist', 'whisper-1', 'tts-1', 'gpt-4'];
/** The day this list was drawn up, in seconds since the epoch. */
const CREATED = 1_795_219_200;

const describe = (id: string) => ({ id, object: 'model', created: CREATED, owned_by: 'holdfast-embedded' });

export const listModels = () => ({ object: 'list', data: ids.map(describe) });

export function oneModel(id: string) {
  if (!ids.includes(id))
    throw new ApiError(404, `The model '${id.slice(0, 100)}' does not exist`, { param: 'model', code: 'model_not_found' });
  return describe(id);
}

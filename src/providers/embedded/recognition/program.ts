import { dirname, join } from 'node:path';
import type { RecognizerProgram } from './process.ts';

export interface PocketsphinxParts {
  /** pocketsphinx_continuous, perhaps behind a loader; pocketsphinx_batch lies beside it. */
  readonly command: readonly string[];
  /** Holds en-us/, en-us.lm.bin and cmudict-en-us.dict. */
  readonly modelDir: string;
}

export function pocketsphinxProgram({ command, modelDir }: PocketsphinxParts): RecognizerProgram {
  const program = command.at(-1) ?? 'pocketsphinx_continuous';
  return {
    command: [...command.slice(0, -1), join(dirname(program), 'pocketsphinx_batch')],
    arguments: [
      ...['-hmm', join(modelDir, 'en-us')],
      ...['-dict', join(modelDir, 'cmudict-en-us.dict')],
      ...['-lm', join(modelDir, 'en-us.lm.bin')],
    ],
  };
}

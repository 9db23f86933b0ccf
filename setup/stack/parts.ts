/**
 * The native parts that the bootstrap found or got, handed to the TypeScript side as JSON in
 * HOLDFAST_PARTS. Commands are argument lists, because a part from the cache may need a loader in front.
 */
import { z } from 'zod';

const command = z.array(z.string()).min(1);

export const parts = z.object({
  asterisk: z.object({ command, modulesDir: z.string(), dataDir: z.string() }),
  redisServer: z.object({ command }),
  temporal: z.object({ command }),
  flite: z.object({ command }),
  pocketsphinx: z.object({ command, /** Holds en-us/, en-us.lm.bin, cmudict-en-us.dict. */ modelDir: z.string() }),
});
export type Parts = z.infer<typeof parts>;

/** @throws when the bootstrap did not run: start through `npm start` or `npm test`. */
export function loadParts(env: Readonly<Record<string, string | undefined>>): Parts {
  const json = env['HOLDFAST_PARTS'];
  if (json === undefined) throw new Error('HOLDFAST_PARTS is not set; start through npm start or npm test');
  return parts.parse(JSON.parse(json));
}

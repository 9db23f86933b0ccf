import { z } from 'zod';
import { isSayText, isSipAddress, SAY_MAX_CHARACTERS } from '../domain/steering.ts';

/** Spoken as it is. */
export const sayText = z.string().trim().min(1).max(SAY_MAX_CHARACTERS).refine(isSayText, 'must be one line of text');

export const sipAddress = z.string().max(300).refine(isSipAddress, 'must be sip:user@host or sip:user@host:port');

export const steerCommand = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('say'), text: sayText }),
  z.object({ kind: z.literal('transfer'), to: sipAddress }),
]);

import { CallLines } from './2026-11-21-call-lines.ts';
import { InitialSchema } from './2026-11-21-initial-schema.ts';
import { OpenCalls } from './2026-11-21-open-calls.ts';
import { TransferredCalls } from './2026-11-21-transferred-calls.ts';

/** In order. A migration that has been released is never edited: add another. */
export const migrations = [
  { name: '2026-11-21-initial-schema', class: InitialSchema },
  { name: '2026-11-21-open-calls', class: OpenCalls },
  { name: '2026-11-21-call-lines', class: CallLines },
  { name: '2026-11-21-transferred-calls', class: TransferredCalls },
];

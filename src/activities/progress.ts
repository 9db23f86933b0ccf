/** What an attempt of `converse` leaves in its heartbeats for the next one; an operator sees it under "pending activities". */
import { z } from 'zod';
import { callStates } from '../domain/call.ts';

const progress = z.object({
  epoch: z.int().positive(),
  /** Newest event that is durable and acknowledged. */
  lastSeq: z.int().nonnegative(),
  state: z.enum(callStates),
  answeredAt: z.string().nullable(),
  turnCount: z.int().nonnegative(),
  signals: z.int().nonnegative(),
  signalledThrough: z.int(),
});
export type Progress = z.infer<typeof progress>;

/** Progress of the same epoch, or a fresh one: what an earlier epoch saw says nothing about this node's sequence. */
export function progressFrom(details: unknown, epoch: number): Progress {
  const parsed = progress.safeParse(details);
  if (parsed.success && parsed.data.epoch === epoch) return parsed.data;
  return { epoch, lastSeq: 0, state: 'connecting', answeredAt: null, turnCount: 0, signals: 0, signalledThrough: -1 };
}

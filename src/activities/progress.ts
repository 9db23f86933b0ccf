/** What an attempt of `converse` leaves in its heartbeats for the next one; an operator sees it under "pending activities". */
import { z } from 'zod';
import type { ConverseRequest } from '../contracts/call-workflow.ts';
import { mediaNode } from '../contracts/media-node.ts';
import { callStates } from '../domain/call.ts';

const progress = z.object({
  /** Who holds the call, as far as this attempt knows. */
  node: mediaNode,
  epoch: z.int().positive(),
  /** Newest event of this epoch that is durable and acknowledged. */
  lastSeq: z.int().nonnegative(),
  state: z.enum(callStates),
  answeredAt: z.string().nullable(),
  turnCount: z.int().nonnegative(),
  signals: z.int().nonnegative(),
  signalledThrough: z.int(),
});
export type Progress = z.infer<typeof progress>;

/** What the latest attempt knew, unless the workflow knows of a later epoch: that node counts its events anew. */
export function progressFrom(details: unknown, { node, epoch }: Pick<ConverseRequest, 'node' | 'epoch'>): Progress {
  const fresh: Progress = {
    node,
    epoch,
    lastSeq: 0,
    state: 'connecting',
    answeredAt: null,
    turnCount: 0,
    signals: 0,
    signalledThrough: -1,
  };
  const parsed = progress.safeParse(details);
  if (!parsed.success) return fresh;
  return parsed.data.epoch >= epoch ? parsed.data : { ...parsed.data, node, epoch, lastSeq: 0 };
}

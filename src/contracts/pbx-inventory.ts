/**
 * What the janitor asks of a media node, beside the control sockets: plain HTTP at the same address,
 * with the same bearer token. Only media nodes reach the PBX, so they look and sweep for it.
 *
 *   GET  /inventory                       → 200 inventory      what the node's PBX holds, and the node's own calls
 *   POST /sweep  {channels, bridges, calls} → 200 {removed}    removes what is Holdfast's and not one of the node's own
 */
import { z } from 'zod';

export const INVENTORY_PATH = '/inventory';
export const SWEEP_PATH = '/sweep';
/** Largest body either way: some ten thousand channels. */
export const INVENTORY_MAX_BYTES = 4_194_304;
/** Things that one sweep may name; more wait for the next run. */
export const SWEEP_MAX = 200;

const pbxId = z.string().min(1).max(200);

export const inventory = z.object({
  nodeId: z.string(),
  /** Every channel of the PBX but our own media channels. */
  callers: z.array(
    z.object({
      channelId: pbxId,
      /** In an application or a bridge of Holdfast, not in the dialplan. */
      held: z.boolean(),
    }),
  ),
  media: z.array(z.object({ channelId: pbxId, callId: z.string(), epoch: z.int().nonnegative() })),
  bridges: z.array(z.object({ bridgeId: pbxId, callId: z.string() })),
  /** Of this node: talks that are not over, and callers who wait for their plan. */
  sessions: z.array(
    z.object({
      callId: z.string(),
      channelId: pbxId,
      /** 0: a caller whose plan has not come yet. */
      epoch: z.int().nonnegative(),
    }),
  ),
});
export type Inventory = z.infer<typeof inventory>;
export type NodeSession = Inventory['sessions'][number];
/** What the PBX itself tells. */
export type PbxInventory = Pick<Inventory, 'callers' | 'media' | 'bridges'>;

export const sweep = z.object({
  /** Callers, who go to the spoken fallback, and media channels of Holdfast, which are hung up. */
  channels: z.array(pbxId).max(SWEEP_MAX),
  /** Destroyed when no caller is left in them. */
  bridges: z.array(pbxId).max(SWEEP_MAX),
  /** Sessions that end with a goodbye, because nobody else would end them. */
  calls: z.array(z.string().max(100)).max(SWEEP_MAX),
});
export type Sweep = z.infer<typeof sweep>;

export const sweepResult = z.object({
  /** Ids of `channels`, `bridges` and `calls` that are gone or on their way. */
  removed: z.array(z.string()),
});
export type SweepResult = z.infer<typeof sweepResult>;

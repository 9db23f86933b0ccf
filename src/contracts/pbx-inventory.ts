/**
 * What the janitor asks of a media node, beside the control sockets: plain HTTP at the same address,
 * with the same bearer token. Only media nodes reach the PBX, so they look and sweep for it.
 *
 *   GET  /inventory                       → 200 inventory      what the node's PBX holds, and the node's own calls
 *   POST /sweep  {channels, bridges, calls} → 200 {removed}    removes what is Holdfast's and not one of the node's own
 */
import { z } from 'zod';
import { callStates } from '../domain/call.ts';

export const INVENTORY_PATH = '/inventory';
export const SWEEP_PATH = '/sweep';
/** Largest body either way: some ten thousand channels. */
export const INVENTORY_MAX_BYTES = 4_194_304;
/** Things that one sweep may name; more wait for the next run. */
export const SWEEP_MAX = 200;

const pbxId = z.string().min(1).max(200);

export const inventory = z.object({
  nodeId: z.string(),
  channels: z.array(
    z.object({
      id: pbxId,
      /** As ARI names it: Ring, Up, … */
      state: z.string(),
      /** The Stasis application that holds it; null in the dialplan. */
      app: z.string().nullable(),
    }),
  ),
  bridges: z.array(z.object({ id: pbxId, channelIds: z.array(pbxId) })),
  sessions: z.array(
    z.object({
      callId: z.string(),
      channelId: pbxId,
      /** 0: a caller whose plan has not come yet. */
      epoch: z.int().nonnegative(),
      state: z.enum(callStates),
    }),
  ),
});
export type Inventory = z.infer<typeof inventory>;
export type InventorySession = Inventory['sessions'][number];

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

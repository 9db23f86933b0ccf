/** Sees to what nobody serves any more: the PBX as the janitor looks at it, and the removal of orphans. */
import type { PbxInventory } from '../../contracts/pbx-inventory.ts';
import type { PbxKeeper, PbxThing } from '../../media/call-control.ts';
import { errorFacts, type Logger } from '../../telemetry.ts';
import { callOfBridge, callOfMediaChannel, isMediaChannelId } from './ari-ids.ts';
import type { Ari, AriSnapshot } from './ari.ts';
import { giveBack } from './call-control.ts';

/** Every media node's application begins so (src/bin/media.ts). */
const APP_PREFIX = 'holdfast-';

interface Step {
  readonly thing: PbxThing;
  /** Null: it is gone already. */
  readonly act: (() => Promise<void>) | null;
}

export function createKeeper(ari: Ari, logger: Logger): PbxKeeper {
  return {
    inventory: async () => inventoryOf(await ari.snapshot()),
    async remove({ channels, bridges }, mayRemove) {
      const gone: string[] = [];
      const take = async ({ thing, act }: Step): Promise<void> => {
        if (act !== null && !mayRemove(thing)) return;
        try {
          await act?.();
          gone.push(thing.id);
        } catch (error) {
          logger.warn({ event: 'sweep_failed', subject: thing.id, error: errorFacts(error) }, 'An orphan could not be removed');
        }
      };
      await Promise.all(channelSteps(ari, await ari.snapshot(), channels).map(take));
      // Callers have left by now; one who came in between keeps the bridge.
      await Promise.all(bridgeSteps(ari, await ari.snapshot(), bridges).map(take));
      return gone;
    },
  };
}

function channelSteps(ari: Ari, snapshot: AriSnapshot, ids: readonly string[]): Step[] {
  const { callers, media } = inventoryOf(snapshot);
  return ids.map((id): Step => {
    const leg = media.find(({ channelId }) => channelId === id);
    if (leg !== undefined) return { thing: { id, callId: leg.callId, epoch: leg.epoch }, act: () => ari.hangup(id) };
    const held = callers.some((caller) => caller.channelId === id && caller.held);
    return { thing: { id, callId: null, epoch: null }, act: held ? () => giveBack(ari, id) : null };
  });
}

function bridgeSteps(ari: Ari, { bridges }: AriSnapshot, ids: readonly string[]): Step[] {
  return ids.flatMap((id): Step[] => {
    const callId = callOfBridge(id);
    const members = bridges.find((bridge) => bridge.id === id)?.channelIds;
    if (callId === null || members?.some((member) => !isMediaChannelId(member))) return [];
    return [{ thing: { id, callId, epoch: null }, act: members === undefined ? null : () => ari.destroyBridge(id) }];
  });
}

function inventoryOf({ channels, bridges }: AriSnapshot): PbxInventory {
  const ours = bridges.flatMap(({ id, channelIds }) => {
    const callId = callOfBridge(id);
    return callId === null ? [] : [{ bridgeId: id, callId, channelIds }];
  });
  const bridged = new Set(ours.flatMap(({ channelIds }) => channelIds));
  return {
    callers: channels
      .filter(({ id }) => !isMediaChannelId(id))
      .map(({ id, stasisApp }) => ({ channelId: id, held: bridged.has(id) || stasisApp?.startsWith(APP_PREFIX) === true })),
    media: channels.flatMap(({ id }) => {
      const call = callOfMediaChannel(id);
      return call === null ? [] : [{ channelId: id, ...call }];
    }),
    bridges: ours.map(({ bridgeId, callId }) => ({ bridgeId, callId })),
  };
}

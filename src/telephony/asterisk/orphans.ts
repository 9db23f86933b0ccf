/**
 * What a predecessor of this node left in the PBX when it died: callers in a silent bridge, media
 * channels, bridges. Until another node takes such calls over, their callers are sent to the spoken
 * fallback rather than left in silence.
 */
import { errorFacts, type Logger } from '../../telemetry.ts';
import { BRIDGE_PREFIX, isMediaChannelId } from './ari-ids.ts';
import type { Ari } from './ari.ts';
import { giveBack } from './call-control.ts';

export interface OrphanOptions {
  readonly logger: Logger;
  /** A caller who came to this process, not to its predecessor. */
  readonly isKnown: (channelId: string) => boolean;
}

export async function releaseOrphans(ari: Ari, { logger, isKnown }: OrphanOptions): Promise<void> {
  const { channels, bridges } = await ari.snapshot();
  const own = channels.filter(({ id, inApp }) => inApp && !isKnown(id)).map(({ id }) => id);
  if (own.length === 0) return;
  const ours = bridges.filter((bridge) => bridge.id.startsWith(BRIDGE_PREFIX) && bridge.channelIds.every((id) => own.includes(id)));
  logger.warn(
    { event: 'orphans_released', channels: own.length, bridges: ours.length },
    'Calls of a node that died are sent to the fallback',
  );
  const steps = [
    ...own.map((id) => (isMediaChannelId(id) ? ari.hangup(id) : giveBack(ari, id))),
    ...ours.map((bridge) => ari.destroyBridge(bridge.id)),
  ];
  for (const result of await Promise.allSettled(steps)) {
    if (result.status === 'rejected')
      logger.warn({ event: 'orphan_release_failed', error: errorFacts(result.reason) }, 'An orphan could not be released');
  }
}

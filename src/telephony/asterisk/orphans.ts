/**
 * What a predecessor of this node left in the PBX when it died, and nobody has taken over: callers in
 * a silent bridge, media channels, bridges. Their callers are sent to the spoken fallback rather than
 * left in silence.
 */
import { errorFacts, type Logger } from '../../telemetry.ts';
import { BRIDGE_PREFIX, callOfMediaChannel } from './ari-ids.ts';
import type { Ari } from './ari.ts';
import { giveBack } from './call-control.ts';

export interface OrphanOptions {
  readonly logger: Logger;
  /** A caller who came to this process, not to its predecessor. */
  readonly isKnown: (channelId: string) => boolean;
  /** A call that this process holds. */
  readonly isLive: (callId: string) => boolean;
}

export async function releaseOrphans(ari: Ari, { logger, isKnown, isLive }: OrphanOptions): Promise<void> {
  const { channels, bridges } = await ari.snapshot();
  const inApp = channels.filter((channel) => channel.inApp).map(({ id }) => ({ id, media: callOfMediaChannel(id) }));
  const own = inApp.filter(({ id, media }) => (media === null ? !isKnown(id) : !isLive(media.callId)));
  if (own.length === 0) return;
  const ids = new Set(own.map(({ id }) => id));
  const ours = bridges.filter((bridge) => bridge.id.startsWith(BRIDGE_PREFIX) && bridge.channelIds.every((id) => ids.has(id)));
  logger.warn(
    { event: 'orphans_released', channels: own.length, bridges: ours.length },
    'Calls of a node that died are sent to the fallback',
  );
  const steps = [
    ...own.map(({ id, media }) => (media === null ? giveBack(ari, id) : ari.hangup(id))),
    ...ours.map((bridge) => ari.destroyBridge(bridge.id)),
  ];
  for (const result of await Promise.allSettled(steps)) {
    if (result.status === 'rejected')
      logger.warn({ event: 'orphan_release_failed', error: errorFacts(result.reason) }, 'An orphan could not be released');
  }
}

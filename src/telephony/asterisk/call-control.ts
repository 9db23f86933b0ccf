/** The media node's wishes, told to Asterisk: answer, bridge with a chan_websocket leg, hang up, give back. */
import type { CallControl, LegRequest } from '../../media/call-control.ts';
import { connectAsteriskWebsocketLeg } from '../../media/legs/asterisk-websocket.ts';
import type { MediaLeg } from '../../media/legs/leg.ts';
import type { Logger } from '../../telemetry.ts';
import { bridgeIdFor, mediaChannelIdFor } from './ari-ids.ts';
import type { Ari } from './ari.ts';

/** Where the dialplan speaks its apology; see asterisk/templates/extensions.conf. */
const FALLBACK = { context: 'holdfast-fallback', extension: 's', priority: 1 };

export function createCallControl(ari: Ari, logger: Logger): CallControl {
  return {
    async connect(request: LegRequest): Promise<MediaLeg> {
      const { callId, epoch, channelId, events } = request;
      const mediaChannelId = mediaChannelIdFor(callId, epoch);
      const bridgeId = bridgeIdFor(callId);
      // The three do not need each other, and every round trip is silence in the caller's ear.
      const connecting = ari
        .createExternalMedia({ channelId: mediaChannelId, format: 'slin16' })
        .then(({ mediaUrl }) => connectAsteriskWebsocketLeg({ url: mediaUrl, events, logger }));
      const [, bridge, answer] = await Promise.allSettled([connecting, ari.createBridge(bridgeId), ari.answer(channelId)]);
      const leg = await connecting;
      try {
        // Only now: a leg that was still on its way when the others failed would stay open for ever.
        for (const step of [answer, bridge]) if (step.status === 'rejected') throw step.reason;
        await ari.addToBridge(bridgeId, [channelId, mediaChannelId]);
      } catch (error) {
        await leg.close();
        throw error;
      }
      return leg;
    },
    hangup: (channelId) => ari.hangup(channelId),
    async release({ callId, epoch }) {
      await ari.hangup(mediaChannelIdFor(callId, epoch));
      await ari.destroyBridge(bridgeIdFor(callId));
    },
    giveBack: (channelId) => giveBack(ari, channelId),
  };
}

export function giveBack(ari: Ari, channelId: string): Promise<void> {
  return ari.continueInDialplan(channelId, FALLBACK);
}

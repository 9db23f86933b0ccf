/** The media process: wiring only. */
import { randomUUID } from 'node:crypto';
import { HoldfastError } from '../domain/errors.ts';
import { connectRedis } from '../lib/redis.ts';
import { isTwilioChannel } from '../contracts/twilio.ts';
import { chooseCallControl } from '../media/call-controls.ts';
import { startControlServer } from '../media/control-server.ts';
import { LiveState } from '../media/live-state.ts';
import { MediaNode } from '../media/node.ts';
import { PhraseAudio } from '../media/phrase-audio.ts';
import { warmPhrases } from '../media/phrases.ts';
import { announceNode } from '../media/registry.ts';
import { VoiceDetector } from '../media/vad/voice-detector.ts';
import { createProviders } from '../providers/registry.ts';
import { connectAri } from '../telephony/asterisk/ari.ts';
import { createCallControl } from '../telephony/asterisk/call-control.ts';
import { createKeeper } from '../telephony/asterisk/keeper.ts';
import { releaseOrphans } from '../telephony/asterisk/orphans.ts';
import { openTwilio } from '../telephony/twilio/twilio.ts';
import { errorFacts } from '../telemetry.ts';
import { runProcess } from './run-process.ts';

/** Callers of this node's predecessor belong to whoever takes them over; those who are still here after this are nobody's. */
const ORPHAN_GRACE_MS = 15_000;
/** How long live calls may go on after SIGTERM. */
const DRAIN_MS = 30_000;
/** The PBX may be starting at this moment, as after a reboot of the machine. */
const PBX_WITHIN_MS = 30_000;

await runProcess('media', async (config, logger) => {
  const instance = randomUUID();
  // One after the other: a process that follows a dead one must not take both cores while another node takes its calls over.
  const redis = await connectRedis(config.redisUrl);
  const detector = await VoiceDetector.start();
  const providers = createProviders({ ...config, logger });
  const phrases = new PhraseAudio(providers.tts, { retries: config.limits.providerRetries, timeoutMs: config.providers.ttsTimeoutMs });
  const app = `holdfast-${config.media.nodeId}`;
  // A caller may enter before the node is made: the promise keeps their order.
  const made = Promise.withResolvers<MediaNode>();
  const ari = await connectAri({
    ...config.ari,
    app,
    logger,
    connectWithinMs: PBX_WITHIN_MS,
    onChannelEntered: ({ channelId, args }) => void made.promise.then((node) => node.channelEntered(channelId, args[0])),
    onChannelLeft: ({ channelId, because }) => void made.promise.then((node) => node.channelLeft(channelId, because)),
  }).catch((cause: unknown) => {
    const message = `Asterisk cannot be reached at ${new URL(config.ari.url).host} (ARI_URL, ARI_USERNAME, ARI_PASSWORD)`;
    throw new HoldfastError('dependency_unavailable', message, { retryable: true, cause });
  });
  const pbx = createCallControl(ari, { nodeId: config.media.nodeId, logger });
  const twilio =
    config.twilio === null ? null : openTwilio({ ...config.twilio, nodeId: config.media.nodeId, logger, redis, node: made.promise });
  const node = new MediaNode({
    nodeId: config.media.nodeId,
    instance,
    capacity: config.media.capacity,
    providers,
    phrases,
    detector,
    callControl: chooseCallControl((channelId) => (twilio !== null && isTwilioChannel(channelId) ? twilio.callControl : pbx)),
    liveState: new LiveState(redis, logger),
    limits: config.limits,
    timeouts: config.providers,
    logger,
  });
  made.resolve(node);
  const { controlHost: host, controlPort: port, controlSecret: secret, nodeId: id, capacity } = config.media;
  await twilio?.listen();
  const control = await startControlServer({ host, port, secret, node, keeper: createKeeper(ari, logger), logger });
  const describe = () => ({
    id,
    app,
    controlUrl: control.url,
    pid: process.pid,
    instance,
    live: node.live,
    capacity,
    draining: node.draining,
    ...(twilio === null ? {} : { streamUrl: twilio.streamUrl }),
  });
  const announcement = await announceNode({ redis, describe, logger });
  // Behind the announcement: callers of a dead node may be waiting for this one.
  void warmPhrases(phrases, { model: config.models.tts, voice: config.models.voice, sampleRate: 16_000 }, logger);
  const orphans = setTimeout(() => {
    releaseOrphans(ari, { logger, isKnown: (channelId) => node.holds(channelId), isLive: (callId) => node.isLive(callId) }).catch(
      (error: unknown) =>
        logger.warn({ event: 'orphan_release_failed', error: errorFacts(error) }, 'The predecessor of this node may have left callers'),
    );
  }, ORPHAN_GRACE_MS);
  return {
    async stop() {
      clearTimeout(orphans);
      node.draining = true;
      await announcement.now().catch(() => undefined);
      await node.drained(DRAIN_MS);
      for (const part of [announcement, control, twilio, ari, detector]) await part?.[Symbol.asyncDispose]();
      redis.disconnect();
    },
  };
});

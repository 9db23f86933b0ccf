/** A media node as it is in production, for calls of Twilio; its providers answer from a script, its PBX is empty. */
import { randomUUID } from 'node:crypto';
import { freePort } from '../../setup/stack/ports.ts';
import { loadConfig } from '../../src/config.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import type { PbxKeeper } from '../../src/media/call-control.ts';
import { startControlServer } from '../../src/media/control-server.ts';
import { LiveState } from '../../src/media/live-state.ts';
import { MediaNode } from '../../src/media/node.ts';
import { PhraseAudio } from '../../src/media/phrase-audio.ts';
import { announceNode } from '../../src/media/registry.ts';
import { VoiceDetector } from '../../src/media/vad/voice-detector.ts';
import type { Providers } from '../../src/providers/ports.ts';
import { createLogger } from '../../src/telemetry.ts';
import { openTwilio } from '../../src/telephony/twilio/twilio.ts';
import { ACCOUNT_SID } from './fake-twilio.ts';
import { CONTROL_SECRET } from './scripted-media-node.ts';

export const AUTH_TOKEN = 'twilio-auth-token-for-tests';

export interface TwilioNode extends AsyncDisposable {
  readonly id: string;
  readonly streamUrl: string;
  /** As SIGTERM does. */
  leave(): Promise<void>;
  /** As kill -9 does, as far as others can see: every socket is gone, nothing is told. */
  die(): Promise<void>;
}

export interface TwilioNodeOptions {
  /** Of two idle nodes the first in the alphabet gets the call. */
  readonly id: string;
  readonly redisUrl: string;
  readonly providers: Providers;
  readonly publicUrl: string;
  readonly restUrl: string;
}

const emptyPbx: PbxKeeper = { inventory: async () => ({ callers: [], media: [], bridges: [] }), remove: async () => [] };

export async function startTwilioNode({ id, redisUrl, providers, publicUrl, restUrl }: TwilioNodeOptions): Promise<TwilioNode> {
  const parts = new AsyncDisposableStack();
  const port = await freePort();
  const streamUrl = `ws://127.0.0.1:${port}/streams`;
  const config = loadConfig(
    {
      DATABASE_URL: 'postgres://x@127.0.0.1/x',
      APP_ENV: 'development',
      MEDIA_NODE_ID: id,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      TWILIO_ACCOUNT_SID: ACCOUNT_SID,
      TWILIO_PUBLIC_URL: publicUrl,
      TWILIO_STREAM_URL: streamUrl,
      TWILIO_STREAM_PORT: String(port),
      TWILIO_API_URL: restUrl,
    },
    'migrate',
  );
  const logger = createLogger({ process: id, level: 'silent' });
  const redis = parts.adopt(await connectRedis(redisUrl), (connection) => connection.disconnect());
  const detector = parts.use(await VoiceDetector.start());
  const made = Promise.withResolvers<MediaNode>();
  if (config.twilio === null) throw new Error('Twilio is configured above');
  const twilio = openTwilio({ ...config.twilio, nodeId: id, logger, redis, node: made.promise });
  const [instance, capacity] = [randomUUID(), 10];
  const { limits, providers: timeouts } = config;
  const phrases = new PhraseAudio(providers.tts, { retries: 0, timeoutMs: 5_000 });
  const liveState = new LiveState(redis, logger);
  const node = new MediaNode({
    nodeId: id,
    instance,
    capacity,
    providers,
    phrases,
    detector,
    callControl: twilio.callControl,
    liveState,
    limits,
    timeouts,
    logger,
  });
  made.resolve(node);
  await twilio.listen();
  const control = await startControlServer({ host: '127.0.0.1', port: 0, secret: CONTROL_SECRET, node, keeper: emptyPbx, logger });
  const describe = () => ({
    id,
    app: `holdfast-${id}`,
    controlUrl: control.url,
    pid: process.pid,
    instance,
    live: node.live,
    capacity,
    draining: node.draining,
    streamUrl,
  });
  const announcement = await announceNode({ redis, describe, logger });
  let gone = false;
  return {
    id,
    streamUrl,
    async leave() {
      node.draining = true;
      await announcement.now();
      await node.drained(10_000);
    },
    async die() {
      gone = true;
      // First what would still tell somebody of the end.
      redis.disconnect();
      await Promise.all([twilio[Symbol.asyncDispose](), control[Symbol.asyncDispose]()]);
    },
    async [Symbol.asyncDispose]() {
      await node.drained(0);
      await announcement[Symbol.asyncDispose]();
      if (!gone) await control[Symbol.asyncDispose]();
      if (!gone) await twilio[Symbol.asyncDispose]();
      await parts.disposeAsync();
    },
  };
}

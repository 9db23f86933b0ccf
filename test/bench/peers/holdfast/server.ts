/**
 * The media node's own code as a process that serves Twilio media streams: sessions, turn-taking, VAD,
 * providers and live state as in src/bin/media.ts, with the plan of each call made here instead of by a
 * workflow. Argument: ServerPlan as JSON.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { WebSocketServer } from 'ws';
import { loadConfig } from '../../../../src/config.ts';
import type { CallPlan } from '../../../../src/contracts/call-plan.ts';
import type { NodeMessage } from '../../../../src/contracts/media-control.ts';
import { connectRedis } from '../../../../src/lib/redis.ts';
import { acceptTwilioStream } from '../../../../src/media/legs/twilio.ts';
import { LiveState } from '../../../../src/media/live-state.ts';
import { PhraseAudio } from '../../../../src/media/phrase-audio.ts';
import { Session } from '../../../../src/media/session.ts';
import { VoiceDetector } from '../../../../src/media/vad/voice-detector.ts';
import type { TextToSpeech } from '../../../../src/providers/ports.ts';
import { createProviders } from '../../../../src/providers/registry.ts';
import { createLogger } from '../../../../src/telemetry.ts';
import { StreamCalls } from './calls.ts';

interface ServerPlan {
  readonly port: number;
  readonly aiBaseUrl: string;
  readonly redisUrl: string;
  /** The latencies of each turn, a line of JSON each. */
  readonly stagesFile: string;
}

const { port, aiBaseUrl, redisUrl, stagesFile } = JSON.parse(process.argv[2] ?? '{}') as ServerPlan;
const { limits, providers: timeouts, conversation } = loadConfig({ DATABASE_URL: 'postgres://none', APP_ENV: 'development' }, 'migrate');
const logger = createLogger({ process: 'media', level: 'warn' });
const providers = createProviders({ openai: { apiKey: 'none', baseUrl: aiBaseUrl }, providers: timeouts, logger });
/** The peer greets nobody and has no fixed sentences: here they are one frame of silence. */
const silence: TextToSpeech = {
  sampleRate: 24_000,
  async *synthesize() {
    yield new Int16Array(480);
  },
};
const phrases = new PhraseAudio(silence, { retries: 0, timeoutMs: timeouts.ttsTimeoutMs });
const [redis, detector] = await Promise.all([connectRedis(redisUrl), VoiceDetector.start()]);
const liveState = new LiveState(redis, logger);
const callControl = new StreamCalls();
const stages = createWriteStream(stagesFile);
const deps = { nodeId: 'media-1', instance: randomUUID(), providers, phrases, detector, callControl, liveState, limits, timeouts, logger };

const planFor = (channelId: string): CallPlan => ({
  callId: randomUUID(),
  tenantId: randomUUID(),
  channelId,
  agent: {
    role: 'receptionist',
    greeting: 'Hello.',
    systemPrompt: 'You are a friendly receptionist on a phone call. Keep replies short.',
    language: 'en',
    voice: 'alloy',
  },
  models: { stt: 'fake', llm: 'fake', tts: 'fake' },
  tools: [],
  limits: { ...conversation, maxTurns: 1_000, maxDurationSeconds: 3_600 },
  transcript: [],
});

/** Stands for the worker: reads what it is told, and says so. */
function follow(session: Session): void {
  session.outbox.attach(0, (message: NodeMessage) => {
    if (message.type !== 'event') return;
    session.outbox.acknowledge(message.seq);
    if (message.event.kind === 'turn') stages.write(`${JSON.stringify(message.event.turn.latencies)}\n`);
  });
}

const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (socket) => {
  acceptTwilioStream(socket, { logger }).then(
    (stream) => {
      const channelId = stream.start.callSid;
      callControl.add(channelId, stream);
      const session = new Session(deps, { plan: planFor(channelId), epoch: 1, resume: null });
      follow(session);
      return session.connect();
    },
    () => socket.terminate(),
  );
});

process.once('SIGTERM', () => {
  for (const socket of server.clients) socket.terminate();
  stages.end(() => process.exit(0));
});

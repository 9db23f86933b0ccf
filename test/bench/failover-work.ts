/** One transcription and one spoken answer, as a call does them, timed. */
import type { CallPlan } from '../../src/contracts/call-plan.ts';
import { Conversation } from '../../src/media/conversation.ts';
import { Playback } from '../../src/media/playback.ts';
import { speakReply } from '../../src/media/reply.ts';
import { UsageMeter } from '../../src/media/usage.ts';
import { withRetries } from '../../src/lib/retry.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import type { Providers } from '../../src/providers/ports.ts';

export interface Waited {
  readonly firstMs: number;
  readonly wholeMs: number;
}

const SAMPLE_RATE = 16_000;
const RETRIES = 2;
const STT_TIMEOUT_MS = 10_000;
const OTHER_TIMEOUT_MS = 15_000;

const plan: CallPlan = {
  callId: '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0001',
  tenantId: '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0002',
  channelId: 'bench',
  agent: { role: 'receptionist', greeting: 'Hello.', systemPrompt: 'Business name: Bright Smile Dental', language: 'en', voice: 'alloy' },
  models: { stt: 'whisper-1', llm: 'gpt-4', tts: 'tts-1' },
  tools: [],
  limits: { maxTurns: 20, maxDurationSeconds: 300, silenceReminderMs: 8_000, maxReminders: 2 },
  transcript: [],
};

export async function transcribeAloud({ stt }: Providers, pcm: Int16Array): Promise<Waited> {
  const startedMs = performance.now();
  const policy = { retries: RETRIES, timeoutMs: STT_TIMEOUT_MS, signal: new AbortController().signal };
  const onTimeout = () => new HoldfastError('stt_failed', 'Transcription took too long', { retryable: true });
  const text = await withRetries({ ...policy, onTimeout }, (signal) =>
    stt.transcribe({ pcm, sampleRate: SAMPLE_RATE, model: plan.models.stt, language: 'en', speechMs: 1_500, signal }),
  );
  if (text === '') throw new Error('Nothing was understood');
  const tookMs = performance.now() - startedMs;
  return { firstMs: tookMs, wholeMs: tookMs };
}

/** The leg plays faster than a caller listens, so that only the providers are waited for. */
export async function answerAloud(providers: Providers): Promise<Waited> {
  const startedMs = performance.now();
  let firstMs = Number.NaN;
  const playback = new Playback(
    {
      sampleRate: SAMPLE_RATE,
      play: () => void (firstMs = Number.isNaN(firstMs) ? performance.now() - startedMs : firstMs),
      mark: (id) => playback.reached(id),
      pause: () => undefined,
      resume: () => undefined,
      clear: () => undefined,
      close: async () => undefined,
    },
    { onAudible: () => undefined },
  );
  playback.begin();
  const conversation = new Conversation({ systemPrompt: plan.agent.systemPrompt, transcript: [] });
  conversation.callerSaid('hello', false);
  await speakReply(
    {
      plan,
      providers,
      playback,
      sampleRate: SAMPLE_RATE,
      conversation,
      usage: new UsageMeter(),
      policy: {
        retries: RETRIES,
        llmTimeoutMs: OTHER_TIMEOUT_MS,
        ttsTimeoutMs: OTHER_TIMEOUT_MS,
        maxTokens: 150,
        maxCharacters: 500,
        maxTools: 0,
      },
      runTool: async (call) => ({ key: call.id, ok: false, content: '{}' }),
      onEndCall: () => undefined,
      signal: new AbortController().signal,
    },
    { text: '', firstSegment: 0, endCall: false, latencies: {} },
  );
  return { firstMs, wholeMs: performance.now() - startedMs };
}

/** Our OpenAI adapter against the embedded server, healthy and behind a provider that fails in every way. */
import { toolSpecs } from '../../src/contracts/call-tools.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import type { ChatDelta, Providers } from '../../src/providers/ports.ts';
import { createProviders } from '../../src/providers/registry.ts';
import { startFaultyAi, type FaultyAi, type Fault } from '../support/faulty-ai.ts';
import { startSpeaker, type Speaker } from '../support/speaker.ts';
import { sharedParts } from '../support/stack.ts';

const SYSTEM = 'Business name: Bright Smile Dental\nToday: 2026-11-21 (Saturday)';
let ai: FaultyAi;
let providers: Providers & AsyncDisposable;
let speaker: Speaker;
let hours: Int16Array;

beforeAll(async () => {
  const { openai } = sharedParts();
  ai = await startFaultyAi({ upstream: openai.baseUrl });
  providers = createProviders({ openai: { apiKey: openai.apiKey, baseUrl: ai.baseUrl } });
  speaker = await startSpeaker();
  hours = await speaker.say('what are your opening hours', 16_000);
});
afterAll(async () => {
  for (const part of [providers, speaker, ai]) await part?.[Symbol.asyncDispose]();
});
afterEach(() => {
  for (const endpoint of ['stt', 'llm', 'tts'] as const) ai.set(endpoint, 'pass');
});

const limit = () => AbortSignal.timeout(20_000);
const hear = (signal = limit()) =>
  providers.stt.transcribe({ pcm: hours, sampleRate: 16_000, model: 'whisper-1', language: 'en-US', signal });

async function chat(said: string, signal = limit()): Promise<ChatDelta[]> {
  const messages = [
    { role: 'system' as const, content: SYSTEM },
    { role: 'user' as const, content: said },
  ];
  const deltas: ChatDelta[] = [];
  for await (const delta of providers.llm.stream({ model: 'gpt-4', messages, tools: toolSpecs, maxTokens: 150, signal }))
    deltas.push(delta);
  return deltas;
}

async function speak(text: string, signal = limit()): Promise<Int16Array[]> {
  const chunks: Int16Array[] = [];
  for await (const chunk of providers.tts.synthesize({ text, model: 'tts-1', voice: 'alloy', signal })) chunks.push(chunk);
  return chunks;
}

const textOf = (deltas: readonly ChatDelta[]): string => deltas.map((delta) => (delta.kind === 'text' ? delta.text : '')).join('');

async function failureOf(work: Promise<unknown>): Promise<HoldfastError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof HoldfastError)) throw error;
  return error;
}

describe('OpenAISpeechToText', () => {
  it('returns the words of a wideband and of a narrowband phrase', async () => {
    expect(await hear()).toBe('what are your opening hours');
    const pcm = await speaker.say('what are your opening hours', 8_000);
    expect(await providers.stt.transcribe({ pcm, sampleRate: 8_000, model: 'whisper-1', language: 'en', signal: limit() })).toBe(
      'what are your opening hours',
    );
  });

  it('returns nothing for silence, also for less than the service accepts', async () => {
    const silence = { sampleRate: 16_000 as const, model: 'whisper-1', language: 'en', signal: limit() };
    expect(await providers.stt.transcribe({ ...silence, pcm: new Int16Array(16_000) })).toBe('');
    expect(await providers.stt.transcribe({ ...silence, pcm: new Int16Array(100) })).toBe('');
  });
});

describe('OpenAILanguageModel', () => {
  it('streams text in pieces, then the complete tool calls and what was used', async () => {
    const deltas = await chat('thank you goodbye');
    expect(textOf(deltas)).toBe('Thank you for calling Bright Smile Dental. Goodbye!');
    expect(deltas.filter((delta) => delta.kind === 'text').length).toBeGreaterThan(3);
    expect(deltas.filter((delta) => delta.kind === 'tool_calls')).toEqual([
      {
        kind: 'tool_calls',
        calls: [{ id: expect.stringMatching(/^call_/), name: 'end_call', arguments: '{"reason":"The caller said goodbye"}' }],
      },
    ]);
    expect(deltas.find((delta) => delta.kind === 'usage')).toEqual({
      kind: 'usage',
      promptTokens: expect.any(Number),
      completionTokens: expect.any(Number),
    });
  });

  it('sends tool calls and their results back', async () => {
    const [call] = (await chat('what are your opening hours')).flatMap((delta) => (delta.kind === 'tool_calls' ? delta.calls : []));
    if (call === undefined) throw new Error('no tool was called');
    const messages = [
      { role: 'system' as const, content: SYSTEM },
      { role: 'user' as const, content: 'what are your opening hours' },
      { role: 'assistant' as const, content: '', toolCalls: [call] },
      { role: 'tool' as const, toolCallId: call.id, content: '{"summary":"We are open on Mondays from 9 AM to 5 PM."}' },
    ];
    const deltas: ChatDelta[] = [];
    for await (const delta of providers.llm.stream({ model: 'gpt-4', messages, tools: toolSpecs, maxTokens: 150, signal: limit() }))
      deltas.push(delta);
    expect(textOf(deltas)).toMatch(/^We are open on Mondays from 9 AM to 5 PM\./);
  });

  it('closes the connection when the reader leaves in the middle', async () => {
    ai.set('llm', 'stall');
    const before = ai.abandoned('llm');
    const messages = [
      { role: 'system' as const, content: SYSTEM },
      { role: 'user' as const, content: 'hello' },
    ];
    for await (const _ of providers.llm.stream({ model: 'gpt-4', messages, tools: [], maxTokens: 150, signal: limit() })) break;
    await eventually(() => ai.abandoned('llm') > before);
  });
});

describe('OpenAITextToSpeech', () => {
  it('streams whole samples of speech at 24 kHz, level and without long silence before it', async () => {
    const pcm = (await speak('We are open from nine to five.')).flatMap((chunk) => [...chunk]);
    const seconds = pcm.length / providers.tts.sampleRate;
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(4);
    const peak = pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peak).toBeGreaterThan(6_000);
    expect(peak).toBeLessThan(32_767);
    expect(pcm.findIndex((sample) => Math.abs(sample) > 500) / providers.tts.sampleRate).toBeLessThan(0.1);
  });

  it('closes the connection when the reader leaves in the middle', async () => {
    ai.set('tts', 'stall');
    const before = ai.abandoned('tts');
    for await (const _ of providers.tts.synthesize({
      text: 'We are open from nine to five.',
      model: 'tts-1',
      voice: 'alloy',
      signal: limit(),
    }))
      break;
    await eventually(() => ai.abandoned('tts') > before);
  });
});

const asks = {
  stt: { code: 'stt_failed', work: (signal?: AbortSignal) => hear(signal) },
  llm: { code: 'llm_failed', work: (signal?: AbortSignal) => chat('hello', signal) },
  tts: { code: 'tts_failed', work: (signal?: AbortSignal) => speak('We are open from nine to five.', signal) },
} as const;
const endpoints = ['stt', 'llm', 'tts'] as const;

describe.each(endpoints)('a failing provider (%s)', (endpoint) => {
  const { code, work } = asks[endpoint];

  it.each<Fault>(['error_500', 'error_429', 'reset', 'cut', 'short', 'garbage'])('is a failure that may be retried: %s', async (fault) => {
    ai.set(endpoint, fault);
    expect(await failureOf(work())).toMatchObject({ code, retryable: true });
  });

  it('is a failure that no retry can help when the request is at fault, and quotes nothing of it', async () => {
    ai.set(endpoint, 'error_400');
    const failure = await failureOf(work());
    expect(failure).toMatchObject({ code, retryable: false });
    expect(JSON.stringify([failure.message, failure.details, failure.cause])).not.toMatch(/words of the caller/);
  });

  it('is asked once only: retries are decided elsewhere', async () => {
    ai.set(endpoint, 'error_500');
    const before = ai.calls(endpoint);
    await failureOf(work());
    expect(ai.calls(endpoint)).toBe(before + 1);
  });

  it.each<Fault>(['hang', 'stall'])('is left with the reason of the abort when it never ends: %s', async (fault) => {
    ai.set(endpoint, fault);
    const reason = new Error('the caller hung up');
    const controller = new AbortController();
    const before = ai.abandoned(endpoint);
    const working = work(controller.signal);
    setTimeout(() => controller.abort(reason), 300);
    await expect(working).rejects.toBe(reason);
    await eventually(() => ai.abandoned(endpoint) > before);
  });

  it('is not asked at all when the signal has fired before', async () => {
    const reason = new Error('too late');
    const before = ai.calls(endpoint);
    await expect(work(AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(ai.calls(endpoint)).toBe(before);
  });

  it('works again after one failure', async () => {
    ai.set(endpoint, 'error_500', { times: 1 });
    await failureOf(work());
    await expect(work()).resolves.toBeDefined();
  });
});

it('a provider that cannot be reached is a failure that may be retried', async () => {
  const gone = await startFaultyAi({ upstream: sharedParts().openai.baseUrl });
  await gone.stop();
  const nobody = createProviders({ openai: { apiKey: 'key', baseUrl: gone.baseUrl } });
  const asked = nobody.stt.transcribe({ pcm: hours, sampleRate: 16_000, model: 'whisper-1', language: 'en', signal: limit() });
  expect(await failureOf(asked)).toMatchObject({ code: 'stt_failed', retryable: true, message: expect.stringContaining('ECONNREFUSED') });
  await nobody[Symbol.asyncDispose]();
});

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

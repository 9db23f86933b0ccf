/** Two providers behind the ports, over real HTTP: the first fails in every way, the second serves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { toolSpecs } from '../../src/contracts/call-tools.ts';
import type { ChatDelta, Work } from '../../src/providers/ports.ts';
import { createProviders, type ConnectedProviders } from '../../src/providers/registry.ts';
import { startFaultyAi, type Fault, type FaultyAi } from '../support/faulty-ai.ts';
import { startSpeaker, type Speaker } from '../support/speaker.ts';
import { sharedParts } from '../support/stack.ts';

const endpoints = ['stt', 'llm', 'tts'] as const;
type Endpoint = (typeof endpoints)[number];

let speaker: Speaker;
let hours: Int16Array;
let first: FaultyAi;
let second: FaultyAi;
let providers: ConnectedProviders;

beforeAll(async () => {
  speaker = await startSpeaker();
  hours = await speaker.say('what are your opening hours', 16_000);
});
afterAll(async () => speaker?.[Symbol.asyncDispose]());

beforeEach(async () => {
  const { openai } = sharedParts();
  first = await startFaultyAi({ upstream: openai.baseUrl });
  second = await startFaultyAi({ upstream: openai.baseUrl });
  providers = createProviders({
    openai: { apiKey: openai.apiKey, baseUrl: first.baseUrl },
    aiFallbacks: [
      {
        name: 'second',
        apiKey: openai.apiKey,
        baseUrl: second.baseUrl,
        models: { stt: 'other-stt', llm: 'other-llm', tts: 'tts-1', voice: 'alloy' },
      },
    ],
  });
});
afterEach(async () => {
  for (const part of [providers, first, second]) await part?.[Symbol.asyncDispose]();
});

const limit = () => AbortSignal.timeout(20_000);

async function drain<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

function chat(said: string, work?: Work): AsyncIterable<ChatDelta> {
  const messages = [
    { role: 'system' as const, content: 'Business name: Bright Smile Dental\nToday: 2026-11-21 (Saturday)' },
    { role: 'user' as const, content: said },
  ];
  const request = { model: 'gpt-4', messages, tools: toolSpecs, maxTokens: 150, signal: limit() };
  return providers.llm.stream(work === undefined ? request : { ...request, work });
}
const speech = (work?: Work) => {
  const request = { text: 'We are open from nine to five.', model: 'tts-1', voice: 'alloy', signal: limit() };
  return providers.tts.synthesize(work === undefined ? request : { ...request, work });
};
const hear = (speechMs = 1_500) =>
  providers.stt.transcribe({ pcm: hours, sampleRate: 16_000, model: 'whisper-1', language: 'en', speechMs, signal: limit() });

/** Whether a stage gives what it should. */
const serves: Readonly<Record<Endpoint, () => Promise<void>>> = {
  stt: async () => expect(await hear()).toBe('what are your opening hours'),
  llm: async () => expect(textOf(await drain(chat('hello')))).toMatch(/What would you like\?$/),
  tts: async () => expect((await drain(speech())).reduce((sum, pcm) => sum + pcm.length, 0)).toBeGreaterThan(24_000),
};
const textOf = (deltas: readonly ChatDelta[]): string => deltas.map((delta) => (delta.kind === 'text' ? delta.text : '')).join('');

describe.each(endpoints)('%s', (endpoint) => {
  it('asks nobody else while the first provider is well', async () => {
    for (let n = 0; n < 3; n++) await serves[endpoint]();
    expect(second.calls(endpoint)).toBe(0);
    expect(providers.counts[endpoint]).toMatchObject({ requests: 3, hedges: 0, failures: 0 });
  });

  it.each<Fault>(['error_500', 'error_429', 'error_400', 'reset', 'garbage'])('goes on at once to the next one after %s', async (fault) => {
    first.set(endpoint, fault);
    await serves[endpoint]();
    expect(second.calls(endpoint)).toBe(1);
    expect(providers.counts[endpoint]).toMatchObject({ hedges: 0, failures: 1 });
  });

  it.each<Fault>(['hang', 'slow'])('asks the next one as well when the first is late (%s), and lets go of the loser', async (fault) => {
    first.set(endpoint, fault);
    await serves[endpoint]();
    expect(providers.counts[endpoint]).toMatchObject({ requests: 1, hedges: 1, hedgesWon: 1 });
    await eventually(() => first.abandoned(endpoint) === 1);
  });

  it('takes the first one although the next was asked, when that is even later', async () => {
    first.set(endpoint, 'slow');
    second.set(endpoint, 'hang');
    await serves[endpoint]();
    expect(providers.counts[endpoint]).toMatchObject({ hedges: 1, hedgesWon: 0, failures: 0 });
    await eventually(() => second.abandoned(endpoint) === 1);
  });

  it('leaves a provider alone as long as its Retry-After says', async () => {
    first.set(endpoint, 'error_429', { times: 1 });
    await serves[endpoint]();
    await serves[endpoint]();
    expect(first.calls(endpoint)).toBe(1);
    await sleep(1_100);
    await serves[endpoint]();
    expect(first.calls(endpoint)).toBe(2);
  });

  it('still asks a provider in disgrace when all the others fail', async () => {
    first.set(endpoint, 'error_500', { times: 3 });
    for (let n = 0; n < 3; n++) await serves[endpoint]();
    second.set(endpoint, 'error_500');
    await serves[endpoint]();
  });

  it('fails as that stage when nobody serves', async () => {
    first.set(endpoint, 'error_400');
    second.set(endpoint, 'error_500');
    await expect(serves[endpoint]()).rejects.toMatchObject({ code: `${endpoint}_failed`, retryable: true });
  });
});

it('leaves a provider that fails again and again alone, and comes back to it', async () => {
  first.set('llm', 'error_500');
  for (let n = 0; n < 5; n++) await serves.llm();
  expect(first.calls('llm')).toBe(3);
  first.set('llm', 'pass');
  await sleep(5_200);
  await serves.llm();
  await serves.llm();
  expect(first.calls('llm')).toBe(5);
  expect(second.calls('llm')).toBe(5);
}, 30_000);

describe('a stream that breaks off', () => {
  it.each<Fault>(['stall', 'cut', 'short'])('fails (%s), and what follows comes from the next provider', async (fault) => {
    const work: Work = { avoid: new Set(), by: null };
    first.set('llm', fault);
    await expect(drain(chat('hello', work))).rejects.toMatchObject({ code: 'llm_failed', retryable: true });
    expect(work.by).toBe('primary');
    work.avoid.add('primary');
    expect(textOf(await drain(chat('hello', work)))).toMatch(/What would you like\?$/);
    expect(work.by).toBe('second');
  });

  it('fails when it is speech, and tells whose voice it was', async () => {
    const work: Work = { avoid: new Set(), by: null };
    first.set('tts', 'stall');
    await expect(drain(speech(work))).rejects.toMatchObject({ code: 'tts_failed', retryable: true });
    expect(work.by).toBe('primary');
    await eventually(() => first.abandoned('tts') === 1);
  });
});

it('a tool call comes once, although both providers were asked', async () => {
  first.set('llm', 'slow');
  const deltas = await drain(chat('what are your opening hours'));
  expect(providers.counts.llm.hedges).toBe(1);
  expect(deltas.flatMap((delta) => (delta.kind === 'tool_calls' ? delta.calls : []))).toHaveLength(1);
});

describe('a deaf provider', () => {
  it('is not believed when speech was heard: the same audio goes to the next one', async () => {
    first.set('stt', 'deaf');
    expect(await hear()).toBe('what are your opening hours');
  });

  it('is left alone after it was deaf three times', async () => {
    first.set('stt', 'deaf');
    for (let n = 0; n < 4; n++) await hear();
    expect(first.calls('stt')).toBe(3);
  });

  it('is believed when there was hardly any speech', async () => {
    first.set('stt', 'deaf');
    expect(await hear(300)).toBe('');
    expect(second.calls('stt')).toBe(0);
  });

  it('is asked once more when there is nobody else', async () => {
    const { openai } = sharedParts();
    await using alone = createProviders({ openai: { apiKey: openai.apiKey, baseUrl: first.baseUrl } });
    first.set('stt', 'deaf', { times: 1 });
    const request = { pcm: hours, sampleRate: 16_000 as const, model: 'whisper-1', language: 'en', speechMs: 1_500, signal: limit() };
    expect(await alone.stt.transcribe(request)).toBe('what are your opening hours');
  });
});

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await sleep(10);
  }
}

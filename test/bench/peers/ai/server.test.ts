import OpenAI from 'openai';
import { TOKENS, TRANSCRIPT } from './script.ts';
import { startFakeAi, type AiStats, type FakeAi } from './server.ts';

let ai: FakeAi;
let api: OpenAI;

beforeAll(async () => {
  ai = await startFakeAi(0);
  api = new OpenAI({ apiKey: 'none', baseURL: ai.baseUrl, maxRetries: 0 });
});
afterAll(() => ai[Symbol.asyncDispose]());

const stats = async (): Promise<AiStats> => (await (await fetch(new URL('/stats', ai.baseUrl))).json()) as AiStats;

describe("the fake AI, asked by OpenAI's own SDK", () => {
  test('hears the sentence of every caller', async () => {
    const file = new File([Buffer.alloc(16_000)], 'speech.wav', { type: 'audio/wav' });
    expect((await api.audio.transcriptions.create({ file, model: 'fake' })).text).toBe(TRANSCRIPT);
  });

  test('answers token by token, with a finish reason and its usage', async () => {
    const stream = await api.chat.completions.create({
      model: 'fake',
      messages: [{ role: 'user', content: TRANSCRIPT }],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const tokens = chunks.flatMap((chunk) => chunk.choices[0]?.delta.content ?? []);
    expect(tokens).toEqual(TOKENS);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 50, completion_tokens: 25, total_tokens: 75 });
  });

  test('answers as a whole', async () => {
    const answer = await api.chat.completions.create({ model: 'fake', messages: [{ role: 'user', content: TRANSCRIPT }] });
    expect(answer.choices[0]?.message.content).toBe(
      'Sure, I can help you book an appointment for tomorrow. What time of the day would work best for you, morning or afternoon?',
    );
  });

  test.each([
    ['Sure, I can help you book an appointment for tomorrow.', 121_828],
    ['What time of the day would work best for you, morning or afternoon?', 129_924],
  ])('speaks "%s"', async (input, bytes) => {
    const speech = await api.audio.speech.create({ model: 'fake', voice: 'alloy', input, response_format: 'pcm' });
    const pcm = new Int16Array(await speech.arrayBuffer());
    expect(pcm.byteLength).toBe(bytes);
    // Sound from beginning to end, not a buffer of zeros.
    const loud = (part: Int16Array): number => part.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    for (let from = 0; from + 12_000 <= pcm.length; from += 12_000) expect(loud(pcm.subarray(from, from + 12_000))).toBeGreaterThan(1_000);
  });

  test('counts what it was asked for, and whose client left', async () => {
    const before = await stats();
    const leaving = new AbortController();
    const stream = await api.chat.completions.create(
      { model: 'fake', messages: [{ role: 'user', content: TRANSCRIPT }], stream: true },
      { signal: leaving.signal },
    );
    for await (const _ of stream) leaving.abort();
    let after = await stats();
    for (const deadlineMs = Date.now() + 5_000; after.abandoned.llm === before.abandoned.llm && Date.now() < deadlineMs;)
      after = await stats();
    expect(after.requests.llm).toBe(before.requests.llm + 1);
    expect(after.abandoned.llm).toBe(before.abandoned.llm + 1);
    expect(after.lateMs?.count).toBe((before.lateMs?.count ?? 0) + 1);
  });
});

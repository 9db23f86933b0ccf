/** The embedded AI server as the vendor's own SDK sees it, over HTTP. */
import OpenAI, { APIError } from 'openai';
import { startEmbeddedServer, type EmbeddedServer } from '../../src/providers/embedded/server.ts';
import { decodeWav, encodeWav } from '../../src/providers/wav.ts';
import { startSpeaker, type Speaker } from '../support/speaker.ts';
import { sharedParts } from '../support/stack.ts';

const tools: OpenAI.ChatCompletionTool[] = [
  { type: 'function', function: { name: 'end_call', parameters: { type: 'object', properties: {} } } },
];
let client: OpenAI;
let speaker: Speaker;

beforeAll(async () => {
  const { baseUrl, apiKey } = sharedParts().openai;
  client = new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0 });
  speaker = await startSpeaker();
});
afterAll(() => speaker?.[Symbol.asyncDispose]());

const wavOf = async (text: string): Promise<File> =>
  new File([encodeWav({ pcm: await speaker.say(text, 16_000), sampleRate: 16_000 })], 'speech.wav', { type: 'audio/wav' });

async function refusal(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof APIError)) throw error;
  return error;
}

describe('POST /v1/chat/completions', () => {
  const goodbye = { model: 'gpt-4', messages: [{ role: 'user' as const, content: 'goodbye' }], tools };

  it('answers whole: text, then the call of a tool', async () => {
    const completion = await client.chat.completions.create(goodbye);
    expect(completion).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      model: 'gpt-4',
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            content: 'Thank you for calling. Goodbye!',
            tool_calls: [{ type: 'function', function: { name: 'end_call' } }],
          },
        },
      ],
    });
    const { prompt_tokens: prompt = 0, completion_tokens: written = 0, total_tokens: total } = completion.usage ?? {};
    expect(total).toBe(prompt + written);
  });

  it('streams the same in deltas that the SDK puts together', async () => {
    const stream = client.chat.completions.stream({ ...goodbye, stream_options: { include_usage: true } });
    const events: string[] = [];
    stream.on('content', (delta) => events.push(delta));
    const [whole, streamed] = [await client.chat.completions.create(goodbye), await stream.finalChatCompletion()];
    expect(events.length).toBeGreaterThan(3);
    expect(streamed.choices[0]?.finish_reason).toBe('tool_calls');
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      type: 'function',
      function: { name: 'end_call', arguments: '{"reason":"The caller said goodbye"}' },
    });
    expect(streamed.usage).toEqual(whole.usage);
  });

  it('ends with finish reason, usage and [DONE], in this order, as server-sent events', async () => {
    const { baseUrl, apiKey } = sharedParts().openai;
    const response = await fetch(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...goodbye, stream: true, stream_options: { include_usage: true } }),
    });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = (await response.text()).split('\n\n').filter((event) => event !== '');
    expect(events.every((event) => event.startsWith('data: '))).toBe(true);
    const [finish, usage, done] = events.slice(-3);
    expect(JSON.parse(finish?.slice(6) ?? '')).toMatchObject({ choices: [{ delta: {}, finish_reason: 'tool_calls' }], usage: null });
    expect(JSON.parse(usage?.slice(6) ?? '')).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(done).toBe('data: [DONE]');
  });

  it('stops at max_tokens and says so', async () => {
    const completion = await client.chat.completions.create({ ...goodbye, max_tokens: 2 });
    expect(completion.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'Thank you' } });
    expect(completion.usage?.completion_tokens).toBe(2);
  });

  it('calls no tool when told not to', async () => {
    const completion = await client.chat.completions.create({ ...goodbye, tool_choice: 'none' });
    expect(completion.choices[0]?.message.tool_calls).toBeUndefined();
  });

  it('refuses what is no conversation, in words that the SDK understands', async () => {
    const empty = await refusal(client.chat.completions.create({ model: 'gpt-4', messages: [] }));
    expect(empty).toMatchObject({ status: 400, type: 'invalid_request_error', param: 'messages' });
    const huge = await refusal(
      client.chat.completions.create({ model: 'gpt-4', messages: [{ role: 'user', content: 'x'.repeat(1_100_000) }] }),
    );
    expect(huge.status).toBe(413);
  });
});

describe('POST /v1/audio/transcriptions', () => {
  it('answers json, text and verbose_json', async () => {
    const file = await wavOf('what are your opening hours');
    const words = 'what are your opening hours';
    expect((await client.audio.transcriptions.create({ file, model: 'whisper-1' })).text).toBe(words);
    expect((await client.audio.transcriptions.create({ file, model: 'whisper-1', response_format: 'text' })).trim()).toBe(words);
    const verbose = await client.audio.transcriptions.create({ file, model: 'whisper-1', response_format: 'verbose_json', language: 'en' });
    expect(verbose).toMatchObject({ language: 'english', text: words, segments: [{ text: words }] });
    expect(verbose.duration).toBeGreaterThan(1);
  });

  it('refuses what is not speech that it can read', async () => {
    const upload = (file: File, rest = {}) => refusal(client.audio.transcriptions.create({ file, model: 'whisper-1', ...rest }));
    const text = new File(['these are no samples'], 'speech.wav');
    expect(await upload(text)).toMatchObject({ status: 400, param: 'file' });
    const short = new File([encodeWav({ pcm: new Int16Array(160), sampleRate: 16_000 })], 'speech.wav');
    expect(await upload(short)).toMatchObject({ status: 400, code: 'audio_too_short' });
    const long = new File([encodeWav({ pcm: new Int16Array(61 * 8_000), sampleRate: 8_000 })], 'speech.wav');
    expect(await upload(long)).toMatchObject({ status: 400, param: 'file' });
    expect(await upload(await wavOf('hello'), { language: 'de' })).toMatchObject({ status: 400, param: 'language' });
    expect(await upload(await wavOf('hello'), { response_format: 'srt' })).toMatchObject({ status: 400, param: 'response_format' });
  });
});

describe('POST /v1/audio/speech', () => {
  it('speaks pcm and wav, the same sound', async () => {
    const say = async (format: 'pcm' | 'wav') =>
      Buffer.from(
        await (
          await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Good morning.', response_format: format })
        ).arrayBuffer(),
      );
    const [pcm, wav] = [await say('pcm'), decodeWav(await say('wav'))];
    expect(wav.sampleRate).toBe(24_000);
    expect(wav.pcm.length).toBe(pcm.length / 2);
    expect(pcm.readInt16LE(20_000)).toBe(wav.pcm[10_000]);
  });

  it('has different voices for alloy and echo', async () => {
    const lengthOf = async (voice: string) =>
      (await (await client.audio.speech.create({ model: 'tts-1', voice, input: 'Good morning.', response_format: 'pcm' })).arrayBuffer())
        .byteLength;
    expect(await lengthOf('alloy')).not.toBe(await lengthOf('echo'));
  });

  it('is understood again by the recogniser', async () => {
    const speech = await client.audio.speech.create({
      model: 'tts-1',
      voice: 'echo',
      input: 'I would like to book an appointment.',
      response_format: 'wav',
    });
    const file = new File([Buffer.from(await speech.arrayBuffer())], 'speech.wav');
    expect((await client.audio.transcriptions.create({ file, model: 'whisper-1' })).text).toBe('i would like to book an appointment');
  });

  it('refuses too much text and formats that it does not make', async () => {
    const say = (input: string, format: 'pcm' | 'mp3' = 'pcm') =>
      refusal(client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input, response_format: format }));
    expect(await say('x'.repeat(4_097))).toMatchObject({ status: 400, param: 'input' });
    expect(await say('hello', 'mp3')).toMatchObject({ status: 400, param: 'response_format' });
  });
});

describe('the embedded server', () => {
  it('lists its models, under their honest names too', async () => {
    const ids = (await client.models.list()).data.map((model) => model.id);
    expect(ids).toEqual(expect.arrayContaining(['whisper-1', 'gpt-4', 'tts-1', 'rule-based-receptionist']));
    expect((await client.models.retrieve('whisper-1')).owned_by).toBe('holdfast-embedded');
    expect(await refusal(client.models.retrieve('gpt-99'))).toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('answers 404 for what it does not have', async () => {
    expect(await refusal(client.embeddings.create({ model: 'x', input: 'y' }))).toMatchObject({ status: 404 });
  });

  it('asks for the key when it has one', async () => {
    const unused = () => Promise.reject(new Error('not to be reached'));
    const dispose = async (): Promise<void> => undefined;
    const server: EmbeddedServer = await startEmbeddedServer({
      host: '127.0.0.1',
      port: 0,
      apiKey: 'the-right-key',
      recognizer: { recognize: unused, load: { processes: 0, waiting: 0 }, [Symbol.asyncDispose]: dispose },
      voices: { speak: unused, [Symbol.asyncDispose]: dispose },
    });
    try {
      const ask = (apiKey: string) => new OpenAI({ baseURL: server.baseUrl, apiKey, maxRetries: 0 }).models.list();
      expect((await ask('the-right-key')).data.length).toBeGreaterThan(0);
      expect(await refusal(ask('another-key') as unknown as Promise<unknown>)).toMatchObject({ status: 401, code: 'invalid_api_key' });
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
});

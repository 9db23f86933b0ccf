import type { CallPlan } from '../../src/contracts/call-plan.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import { Conversation } from '../../src/media/conversation.ts';
import type { MediaLeg } from '../../src/media/legs/leg.ts';
import { Playback } from '../../src/media/playback.ts';
import { speakReply, type Reply, type ReplyContext } from '../../src/media/reply.ts';
import { UsageMeter } from '../../src/media/usage.ts';
import type { ChatDelta, ChatMessage, ChatRequest, Providers, SynthesizeRequest, ToolCall } from '../../src/providers/ports.ts';

const plan: CallPlan = {
  callId: '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0001',
  tenantId: '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0002',
  channelId: 'c',
  agent: { role: 'receptionist', greeting: 'Hello.', systemPrompt: 'You are a receptionist.', language: 'en', voice: 'alloy' },
  models: { stt: 's', llm: 'l', tts: 't' },
  tools: [{ name: 'book_appointment', description: '', parameters: {} }],
  limits: { maxTurns: 20, maxDurationSeconds: 300, silenceReminderMs: 8_000, maxReminders: 2 },
  transcript: [],
};

type Script = (attempt: number, request: ChatRequest) => AsyncIterable<ChatDelta>;
const text = (words: string): ChatDelta => ({ kind: 'text', text: words });
const calling = (...calls: ToolCall[]): ChatDelta => ({ kind: 'tool_calls', calls });
async function* deltas(...list: ChatDelta[]): AsyncGenerator<ChatDelta> {
  yield* list;
}
const failure = (code: 'llm_failed' | 'tts_failed', retryable = true) => new HoldfastError(code, 'vendor', { retryable });

/** A vendor that follows a script; speech is one second of a constant per clause, in two chunks. */
function stage(
  model: Script,
  options: { tts?: (request: SynthesizeRequest, attempt: number) => AsyncIterable<Int16Array>; llmTimeoutMs?: number } = {},
) {
  const sent: number[] = [];
  const marks: string[] = [];
  const leg: MediaLeg = {
    sampleRate: 16_000,
    play: (pcm) => void sent.push(...pcm),
    mark: (id) => void marks.push(id),
    pause: () => undefined,
    resume: () => undefined,
    clear: () => undefined,
    close: async () => undefined,
  };
  const counts = { llm: 0, tts: 0 };
  const spoken: string[] = [];
  const tools: ToolCall[] = [];
  async function* second(request: SynthesizeRequest): AsyncGenerator<Int16Array> {
    spoken.push(request.text);
    yield new Int16Array(8_000).fill(1_000);
    yield new Int16Array(8_000).fill(1_000);
  }
  const providers: Providers = {
    stt: { transcribe: async () => '' },
    llm: { stream: (request) => model(++counts.llm, request) },
    tts: { sampleRate: 16_000, synthesize: (request) => (options.tts ?? second)(request, ++counts.tts) },
  };
  const playback = new Playback(leg, { onAudible: () => undefined });
  playback.begin();
  const abort = new AbortController();
  const conversation = new Conversation({ systemPrompt: plan.agent.systemPrompt, transcript: [] });
  let endCalls = 0;
  const context: ReplyContext = {
    plan,
    providers,
    playback,
    sampleRate: 16_000,
    conversation,
    usage: new UsageMeter(),
    policy: {
      retries: 2,
      llmTimeoutMs: options.llmTimeoutMs ?? 5_000,
      ttsTimeoutMs: 5_000,
      maxTokens: 150,
      maxCharacters: 500,
      maxTools: 3,
    },
    runTool: async (call) => {
      tools.push(call);
      return { key: '1:0', ok: true, content: '{"booked":true}' };
    },
    onEndCall: () => endCalls++,
    signal: abort.signal,
  };
  const reply: Reply = { text: '', firstSegment: 0, endCall: false, latencies: {} };
  return {
    speak: () => speakReply(context, reply),
    reply,
    counts,
    spoken,
    tools,
    sent,
    abort,
    conversation,
    endCalls: () => endCalls,
    hearAll: () => {
      for (const id of marks) playback.reached(id);
    },
    heardText: () => playback.heardText(),
  };
}

describe('speakReply', () => {
  test('speaks clause by clause and notes what each stage took', async () => {
    const scene = stage(() => deltas(text('We open at nine. '), text('Shall I book you in?')));
    await scene.speak();
    expect(scene.spoken).toEqual(['We open at nine.', 'Shall I book you in?']);
    expect(scene.reply.text).toBe('We open at nine. Shall I book you in?');
    expect(Object.keys(scene.reply.latencies).sort()).toEqual(['llmFirstClauseMs', 'llmFirstTokenMs', 'ttsFirstByteMs']);
  });

  test('a model that fails before its first word is asked again, silently', async () => {
    const scene = stage(async function* (attempt) {
      if (attempt < 3) throw failure('llm_failed');
      yield text('At last.');
    });
    await scene.speak();
    expect(scene.counts.llm).toBe(3);
    expect(scene.spoken).toEqual(['At last.']);
  });

  test('a refusal that a retry cannot mend is not retried', async () => {
    // oxlint-disable-next-line require-yield -- it fails before its first word
    const scene = stage(async function* () {
      throw failure('llm_failed', false);
    });
    await expect(scene.speak()).rejects.toMatchObject({ code: 'llm_failed' });
    expect(scene.counts.llm).toBe(1);
  });

  test('a model that stops in mid-stream is continued behind the last clause that is being heard', async () => {
    const asked: ChatMessage[] = [];
    const scene = stage(async function* (attempt, { messages }) {
      if (attempt === 1) {
        yield text('We open at nine. On Saturdays we');
        throw failure('llm_failed');
      }
      asked.push(...messages);
      yield text('On Saturdays we are closed.');
    });
    await scene.speak();
    expect(scene.spoken).toEqual(['We open at nine.', 'On Saturdays we are closed.']);
    expect(scene.reply.text).toBe('We open at nine. On Saturdays we are closed.');
    expect(asked.at(-1)).toEqual({ role: 'assistant', content: 'We open at nine.' });
    expect(asked[0]?.content).toMatch(/broke off/);
  });

  test('a model that begins its answer anew is heard only from where it goes on', async () => {
    const scene = stage(async function* (attempt) {
      yield text('We open at nine. We close at five. ');
      if (attempt === 1) throw failure('llm_failed');
      yield text('On Saturdays we are closed. We open at nine.');
    });
    await scene.speak();
    // The last sentence is one the model means to repeat.
    expect(scene.spoken).toEqual(['We open at nine.', 'We close at five.', 'On Saturdays we are closed.', 'We open at nine.']);
  });

  test('the provider that broke off is asked last', async () => {
    const avoided: string[][] = [];
    const scene = stage(async function* (attempt, { work }) {
      avoided.push([...(work?.avoid ?? [])]);
      if (work !== undefined) work.by = 'primary';
      yield text('We open at nine. ');
      if (attempt === 1) throw failure('llm_failed');
    });
    await scene.speak();
    expect(avoided).toEqual([[], ['primary']]);
  });

  test('a model that breaks off again and again fails the reply, and the part that was spoken is known', async () => {
    const scene = stage(async function* () {
      yield text('We open at nine. And then');
      throw failure('llm_failed');
    });
    await expect(scene.speak()).rejects.toMatchObject({ code: 'llm_failed' });
    expect(scene.counts.llm).toBe(3);
    expect(scene.spoken).toEqual(['We open at nine.']);
    expect(scene.reply.text).toBe('We open at nine.');
  });

  test('tools that a broken stream had begun to ask for are called once', async () => {
    const call = { id: 'c1', name: 'book_appointment', arguments: '{}' };
    const scene = stage(async function* (attempt) {
      if (attempt > 2) return yield text('You are booked.');
      yield { kind: 'progress' };
      if (attempt === 1) throw failure('llm_failed');
      yield calling(call);
    });
    await scene.speak();
    expect(scene.tools).toEqual([call]);
  });

  test('a model that never answers ends at the limit, although it ignores its signal', async () => {
    const scene = stage(
      // oxlint-disable-next-line require-yield -- a stream that never gives anything
      async function* () {
        await new Promise(() => undefined);
      },
      { llmTimeoutMs: 60 },
    );
    await expect(scene.speak()).rejects.toMatchObject({ code: 'llm_failed', retryable: true });
  });

  test('speech cut short is continued, not repeated', async () => {
    const ramp = Int16Array.from({ length: 16_000 }, (_, i) => i);
    const scene = stage(() => deltas(text('One two three.')), {
      tts: async function* (_request, attempt) {
        if (attempt === 1) {
          yield ramp.subarray(0, 5_000);
          throw failure('tts_failed');
        }
        yield ramp;
      },
    });
    await scene.speak();
    expect(Int16Array.from(scene.sent)).toEqual(ramp);
  });

  test('another voice begins a clause again that breaks off while it is heard, and the record has it once', async () => {
    const scene = stage(() => deltas(text('One two three.')), {
      tts: async function* ({ work }, attempt) {
        if (work !== undefined) work.by = attempt === 1 ? 'primary' : 'second';
        if (attempt === 1) {
          yield new Int16Array(5_000).fill(1);
          throw failure('tts_failed');
        }
        yield new Int16Array(8_000).fill(2);
      },
    });
    await scene.speak();
    expect(scene.sent.filter((sample) => sample === 2)).toHaveLength(8_000);
    scene.hearAll();
    expect(scene.heardText()).toBe('One two three.');
  });

  test('a clause that is not needed yet is spoken wholly by the voice that comes to its end', async () => {
    const scene = stage(() => deltas(text('This is the first sentence. This is the second.')), {
      tts: async function* ({ work, text: words }, attempt) {
        if (work !== undefined) work.by = attempt === 2 ? 'primary' : 'second';
        if (words.includes('first')) return yield new Int16Array(32_000).fill(1);
        yield new Int16Array(5_000).fill(attempt);
        if (attempt === 2) throw failure('tts_failed');
      },
    });
    await scene.speak();
    // Two seconds of the first sentence are still to be heard: nothing of the half one was played.
    expect(scene.sent.filter((sample) => sample === 2)).toHaveLength(0);
    expect(scene.sent.filter((sample) => sample === 3)).toHaveLength(5_000);
  });

  test('runs a tool, files its result and speaks what the model makes of it', async () => {
    const call = { id: 'c1', name: 'book_appointment', arguments: '{"date":"2026-12-01"}' };
    const scene = stage((attempt) => (attempt === 1 ? deltas(text('One moment. '), calling(call)) : deltas(text('You are booked.'))));
    await scene.speak();
    expect(scene.tools).toEqual([call]);
    expect(scene.spoken).toEqual(['One moment.', 'You are booked.']);
    expect(scene.conversation.messages().at(-1)).toEqual({ role: 'tool', toolCallId: 'c1', content: '{"booked":true}' });
  });

  test('a model that calls tools for ever is stopped', async () => {
    const scene = stage((attempt) => deltas(calling({ id: `c${attempt}`, name: 'book_appointment', arguments: `{"n":${attempt}}` })));
    await scene.speak();
    expect(scene.tools.length).toBeLessThanOrEqual(4);
  });

  test('end_call without words still says goodbye', async () => {
    const scene = stage(() => deltas(calling({ id: 'c1', name: 'end_call', arguments: '{}' })));
    await scene.speak();
    expect(scene.reply.endCall).toBe(true);
    expect(scene.endCalls()).toBe(1);
    expect(scene.spoken).toEqual(['Thank you for calling. Goodbye!']);
  });

  test('an interruption stops generation and speech at once', async () => {
    const scene = stage(async function* () {
      yield text('First sentence. ');
      scene.abort.abort(new Error('cut'));
      yield text('Second sentence. ');
      yield text('Third sentence.');
    });
    await expect(scene.speak()).rejects.toThrow('cut');
    expect(scene.spoken).toEqual(['First sentence.']);
  });
});

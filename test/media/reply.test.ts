import type { CallPlan } from '../../src/contracts/call-plan.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import { Conversation } from '../../src/media/conversation.ts';
import type { MediaLeg } from '../../src/media/legs/leg.ts';
import { Playback } from '../../src/media/playback.ts';
import { speakReply, type Reply, type ReplyContext } from '../../src/media/reply.ts';
import { UsageMeter } from '../../src/media/usage.ts';
import type { ChatDelta, Providers, SynthesizeRequest, ToolCall } from '../../src/providers/ports.ts';

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

type Script = (attempt: number) => AsyncIterable<ChatDelta>;
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
  const leg: MediaLeg = {
    sampleRate: 16_000,
    play: (pcm) => void sent.push(...pcm),
    mark: () => undefined,
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
    llm: { stream: () => model(++counts.llm) },
    tts: { sampleRate: 16_000, synthesize: (request) => (options.tts ?? second)(request, ++counts.tts) },
  };
  const playback = new Playback(leg, () => undefined);
  playback.begin();
  const abort = new AbortController();
  const conversation = new Conversation(plan.agent.systemPrompt, []);
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
  return { speak: () => speakReply(context, reply), reply, counts, spoken, tools, sent, abort, conversation, endCalls: () => endCalls };
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

  test('a model that stops in mid-stream fails the reply, and the part that was spoken is known', async () => {
    const scene = stage(async function* () {
      yield text('We open at nine. And then');
      throw failure('llm_failed');
    });
    await expect(scene.speak()).rejects.toMatchObject({ code: 'llm_failed' });
    expect(scene.reply.text).toBe('We open at nine.');
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

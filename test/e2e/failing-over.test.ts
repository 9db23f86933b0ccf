/**
 * The first AI provider fails in every way while callers talk, and there is a second one: they get
 * their answers, each sentence once, and never hear that anything was wrong.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../../setup/demo/script-steps.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { phraseText } from '../../src/media/phrases.ts';
import { startCallStack, type CallStack } from '../support/call-stack.ts';
import { startFaultyAi, type AiRequest, type Fault, type FaultyAi } from '../support/faulty-ai.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { agentSaid, SAME_WORDS } from '../support/words-heard.ts';
import { sharedParts } from '../support/stack.ts';

const TIMEOUT_MS = 180_000;
/** Between the waves, so that the failures of one are not taken for a dead provider by the next. */
const WAVE_MS = 6_000;

interface Defect {
  readonly stage: 'stt' | 'llm' | 'tts';
  readonly fault: Fault;
}
const waves: readonly (readonly Defect[])[] = [
  [
    { stage: 'stt', fault: 'hang' },
    { stage: 'llm', fault: 'hang' },
    { stage: 'tts', fault: 'hang' },
  ],
  [
    { stage: 'stt', fault: 'deaf' },
    { stage: 'llm', fault: 'stall' },
    { stage: 'tts', fault: 'stall' },
  ],
  [
    { stage: 'stt', fault: 'error_500' },
    { stage: 'llm', fault: 'error_429' },
    { stage: 'tts', fault: 'garbage' },
  ],
];
const defects = waves.flat();
const keyOf = ({ stage, fault }: Defect): string => `${stage} ${fault}`;

/** A name that the answer begins with, and that the model is told. */
const names = ['Amber', 'Birch', 'Cedar', 'Daisy', 'Ember', 'Fern', 'Ginger', 'Hazel', 'Ivy'];
const nameOf = (defect: Defect): string => `${names[defects.indexOf(defect)]} Bakery`;

const script: readonly Step[] = [
  { do: 'hear', what: 'the greeting' },
  { do: 'say', text: 'what are your opening hours' },
  { do: 'hear', what: 'the whole answer', expect: /suit you best/i, timeoutMs: 60_000 },
  { do: 'say', text: 'thank you goodbye' },
  { do: 'await_hangup', timeoutMs: 60_000 },
];
const ANSWER_ENDS = ['I can book an appointment for you right now.', 'Just tell me which day and time would suit you best.'];

/** Those that wait for their request. */
const armed = new Set<Defect>();
/**
 * Each defect strikes once: a stream that breaks off in the middle of its words, everything else at
 * the first request. Recognition sees nothing of the business, so that it may strike any call of its wave.
 */
function decide({ endpoint: stage, body }: AiRequest): Fault | null {
  const concerned = (defect: Defect): boolean => {
    if (defect.stage !== stage) return false;
    if (stage === 'stt') return true;
    return body.includes(nameOf(defect)) && (keyOf(defect) !== 'llm stall' || body.includes('"role":"tool"'));
  };
  const defect = [...armed].find(concerned);
  if (defect === undefined) return null;
  armed.delete(defect);
  return defect.fault;
}

/** Both providers are slow for this one; it waits for its answer twice, before and after the tool. */
const SLOW = 'Juniper Bakery';
const slowly = ({ endpoint, body }: AiRequest): Fault | null => (endpoint === 'llm' && body.includes(SLOW) ? 'slow' : null);

interface Outcome {
  readonly heard: Int16Array;
  readonly record: CallDetailView;
}

let first: FaultyAi;
let second: FaultyAi;
let calls: CallStack;
const outcomes = new Map<string, Promise<Outcome>>();

beforeAll(async () => {
  const { openai } = sharedParts();
  first = await startFaultyAi({ upstream: openai.baseUrl, decide: (request) => slowly(request) ?? decide(request), slowMs: 5_000 });
  second = await startFaultyAi({ upstream: openai.baseUrl, decide: slowly, slowMs: 5_000 });
  const fallback = { name: 'second', base_url: second.baseUrl, api_key: openai.apiKey };
  const models = { stt_model: 'whisper-1', llm_model: 'gpt-4', tts_model: 'tts-1', tts_voice: 'alloy' };
  calls = await startCallStack({
    external: { openai: { baseUrl: first.baseUrl, apiKey: openai.apiKey } },
    settings: { AI_FALLBACKS: JSON.stringify([{ ...fallback, ...models }]) },
  });
  for (const [n, defect] of defects.entries()) {
    const wave = waves.findIndex((each) => each.includes(defect));
    const outcome = sleep(wave * WAVE_MS).then(() => callWith({ name: nameOf(defect), n, arm: () => armed.add(defect) }));
    outcome.catch(() => undefined);
    outcomes.set(keyOf(defect), outcome);
  }
  // After the others: overtaken requests would count against the first provider.
  const slow = sleep(waves.length * WAVE_MS).then(() => callWith({ name: SLOW, n: defects.length }));
  slow.catch(() => undefined);
  outcomes.set(SLOW, slow);
}, TIMEOUT_MS);

afterAll(async () => {
  await calls?.[Symbol.asyncDispose]();
  await first?.[Symbol.asyncDispose]();
  await second?.[Symbol.asyncDispose]();
}, TIMEOUT_MS);

interface Business {
  readonly name: string;
  readonly n: number;
  readonly arm?: () => void;
}

async function callWith({ name, n, arm }: Business): Promise<Outcome> {
  const did = `+12025550${170 + n}`;
  const { id } = await calls.api<{ id: string }>('POST', '/tenants', {
    name,
    country: 'US',
    timezone: 'America/New_York',
  });
  await calls.api('POST', `/tenants/${id}/ai-profiles`, {
    name: 'Desk',
    system_prompt: 'Answer the questions of callers.',
    greeting: 'Good morning. What can I do for you?',
    language: 'en-US',
    is_default: true,
  });
  await calls.api('POST', `/tenants/${id}/phone-numbers`, { did_number: did });
  arm?.();
  const dialled = await calls.dial({ to: did, tenantId: id, script });
  return { heard: await dialled.heard(), record: await dialled.record() };
}

describe.each(defects)('$stage with the fault $fault, and a second provider', (defect) => {
  it(
    'gives the caller the whole answer, each sentence once',
    async () => {
      const { heard, record } = await outcomes.get(keyOf(defect))!;
      await Promise.allSettled(outcomes.values());
      expect(first.struck(defect.stage, defect.fault)).toBeGreaterThan(0);
      const said = record.turns.filter((turn) => turn.speaker === 'agent').map((turn) => turn.heard_text);
      const answer = said.find((text) => text.includes(nameOf(defect))) ?? '';
      for (const sentence of [`${nameOf(defect)} is open`, ...ANSWER_ENDS]) expect(answer.split(sentence)).toHaveLength(2);
      expect(await agentSaid(heard, ANSWER_ENDS[1]!)).toBeGreaterThan(SAME_WORDS);
    },
    TIMEOUT_MS,
  );

  it(
    'and no word of trouble',
    async () => {
      const { record } = await outcomes.get(keyOf(defect))!;
      expect(record.disposition).toBe('completed');
      const said = record.turns.filter((turn) => turn.speaker === 'agent').map((turn) => turn.text);
      const { not_heard, technical_difficulty, audio_issues } = phraseText;
      for (const sentence of [not_heard, technical_difficulty, audio_issues]) expect(said).not.toContain(sentence);
    },
    TIMEOUT_MS,
  );
});

it(
  'an answer that is long in coming is bridged by a filler and an apology, and is not cut by them',
  async () => {
    const { heard, record } = await outcomes.get(SLOW)!;
    expect(record.disposition).toBe('completed');
    for (const words of [phraseText.one_moment, phraseText.takes_longer, ANSWER_ENDS[1]!])
      expect(await agentSaid(heard, words)).toBeGreaterThan(SAME_WORDS);
    const said = record.turns.filter((turn) => turn.speaker === 'agent').map((turn) => turn.heard_text);
    expect(said).toEqual(
      expect.arrayContaining([phraseText.one_moment, phraseText.takes_longer, expect.stringContaining(`${SLOW} is open`)]),
    );
  },
  TIMEOUT_MS,
);

it(
  'leaves nothing behind',
  async () => {
    await Promise.allSettled(outcomes.values());
    await assertNothingLeft(calls);
  },
  TIMEOUT_MS,
);

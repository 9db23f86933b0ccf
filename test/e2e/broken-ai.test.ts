/**
 * STT, LLM and TTS that answer 500, never answer, or stop halfway: the caller hears the sentence of
 * the error table each time, and a call that cannot be saved ends with a goodbye and one disposition.
 * Nine businesses, each with its own defect, are called at once.
 */
import type { Step } from '../../setup/demo/script-steps.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { phraseText } from '../../src/media/phrases.ts';
import { startCallStack, type CallStack, type Dialled } from '../support/call-stack.ts';
import { startFaultyAi, type AiRequest, type FaultyAi } from '../support/faulty-ai.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { agentSaid, SAME_WORDS } from '../support/words-heard.ts';
import { sharedParts } from '../support/stack.ts';

const TIMEOUT_MS = 180_000;
const stages = ['stt', 'llm', 'tts'] as const;
/** Answers 500, never answers, stops halfway. */
const faults = ['error_500', 'hang', 'cut'] as const;
type Fault = (typeof faults)[number];
const defects = stages.flatMap((stage) => faults.map((fault) => ({ stage, fault })));
type Defect = (typeof defects)[number];

/** A name that the answer to "what are your opening hours" begins with, and that the model is told. */
const nameOf = ({ stage, fault }: Defect): string =>
  `${stage.toUpperCase()} ${{ error_500: 'Broken', hang: 'Hanging', cut: 'Halving' }[fault]} Bakery`;
/** ISO 639-2 keeps qaa to qtz for private use: the only word about the business that reaches speech recognition. */
const languageOf = (fault: Fault): string => ({ error_500: 'qaa', hang: 'qab', cut: 'qac' })[fault];

const sentences = { stt: phraseText.not_heard, llm: phraseText.technical_difficulty, tts: phraseText.audio_issues } as const;
const question: Step = { do: 'say', text: 'what are your opening hours' };
const answer: Step = { do: 'hear', what: 'anything' };
/** Asks again when the words were not understood, as on a machine under load. */
function sentence(stage: Defect['stage']): Step {
  return { do: 'hear', what: 'the sentence of the error table', expect: new RegExp(sentences[stage], 'i'), timeoutMs: 60_000 };
}
/** A caller who asks again until the agent gives up; the other stages try again by themselves. */
const scripts: Readonly<Record<Defect['stage'], readonly Step[]>> = {
  stt: [answer, question, answer, question, answer, question, { do: 'await_hangup', timeoutMs: 60_000 }],
  llm: [answer, question, sentence('llm'), { do: 'await_hangup', timeoutMs: 90_000 }],
  tts: [answer, question, sentence('tts'), { do: 'await_hangup', timeoutMs: 90_000 }],
};

function decide({ endpoint: stage, body }: AiRequest): Fault | null {
  const concerned = (defect: Defect): boolean =>
    defect.stage === stage && (stage === 'stt' ? body.includes(`\r\n\r\n${languageOf(defect.fault)}\r\n`) : body.includes(nameOf(defect)));
  return defects.find(concerned)?.fault ?? null;
}

interface Outcome {
  readonly dialled: Dialled;
  readonly heard: Int16Array;
  readonly record: CallDetailView;
}

let ai: FaultyAi;
let calls: CallStack;
const outcomes = new Map<string, Promise<Outcome>>();
const keyOf = ({ stage, fault }: Defect): string => `${stage} ${fault}`;

beforeAll(async () => {
  ai = await startFaultyAi({ upstream: sharedParts().openai.baseUrl, decide });
  calls = await startCallStack({
    external: { openai: { baseUrl: ai.baseUrl, apiKey: sharedParts().openai.apiKey } },
    settings: { STT_TIMEOUT_SECONDS: '3', LLM_TIMEOUT_SECONDS: '2', TTS_TIMEOUT_SECONDS: '2' },
  });
  for (const [n, defect] of defects.entries()) {
    const outcome = callDefective(defect, n);
    outcome.catch(() => undefined);
    outcomes.set(keyOf(defect), outcome);
  }
}, TIMEOUT_MS);

afterAll(async () => {
  await calls?.[Symbol.asyncDispose]();
  await ai?.[Symbol.asyncDispose]();
}, TIMEOUT_MS);

async function callDefective(defect: Defect, n: number): Promise<Outcome> {
  const did = `+1202555016${n}`;
  const { id } = await calls.api<{ id: string }>('POST', '/tenants', { name: nameOf(defect), country: 'US', timezone: 'America/New_York' });
  const language = defect.stage === 'stt' ? languageOf(defect.fault) : 'en-US';
  await calls.api('POST', `/tenants/${id}/ai-profiles`, {
    name: 'Desk',
    system_prompt: 'Answer the questions of callers.',
    greeting: 'Good morning. What can I do for you?',
    language,
    is_default: true,
  });
  await calls.api('POST', `/tenants/${id}/phone-numbers`, { did_number: did });
  const dialled = await calls.dial({ to: did, tenantId: id, script: scripts[defect.stage] });
  return { dialled, heard: await dialled.heard(), record: await dialled.record() };
}

describe.each(defects)('$stage with the fault $fault', (defect) => {
  it(
    'is met with the sentence of the error table, then a goodbye',
    async () => {
      const { heard } = await outcomes.get(keyOf(defect))!;
      expect(await agentSaid(heard, sentences[defect.stage])).toBeGreaterThan(SAME_WORDS);
      expect(await agentSaid(heard, phraseText.error_goodbye)).toBeGreaterThan(SAME_WORDS);
    },
    TIMEOUT_MS,
  );

  it(
    'ends the call as an error of that stage, once, and after retries',
    async () => {
      const { record } = await outcomes.get(keyOf(defect))!;
      expect(record).toMatchObject({ status: 'failed', disposition: 'error', reason: `${defect.stage}_failed` });
      expect(ai.struck(defect.stage, defect.fault)).toBeGreaterThanOrEqual(3);
    },
    TIMEOUT_MS,
  );
});

it(
  'leaves nothing behind',
  async () => {
    await Promise.allSettled(outcomes.values());
    await assertNothingLeft(calls);
  },
  TIMEOUT_MS,
);

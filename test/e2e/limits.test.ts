/** How calls end that do not end by themselves: silence, too many turns, too long. */
import { phraseText } from '../../src/media/phrases.ts';
import { startCallStack, type CallStack, type Dialled } from '../support/call-stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { agentSaid, SAME_WORDS } from '../support/words-heard.ts';

const TIMEOUT_MS = 120_000;
const MAX_DURATION_SECONDS = 22;
/** Half a minute without a pause in which an agent could take its turn. */
const monologue = Array<string>(6)
  .fill('then my neighbour who has two dogs and a cat said the same thing and so I was thinking')
  .join(' and ');

let calls: CallStack;
let silent: Promise<Dialled>;
let talkative: Promise<Dialled>;
let endless: Promise<Dialled>;

beforeAll(async () => {
  calls = await startCallStack({
    settings: {
      SILENCE_REMINDER_SECONDS: '2',
      MAX_SILENCE_REMINDERS: '1',
      MAX_CONVERSATION_TURNS: '1',
      MAX_CONVERSATION_DURATION_SECONDS: String(MAX_DURATION_SECONDS),
    },
  });
  // At once: they take their time and not much else.
  silent = calls.dial({ script: [{ do: 'await_hangup', timeoutMs: 60_000 }] });
  talkative = calls.dial({
    script: [
      { do: 'interrupt', afterMs: 600 },
      { do: 'say', text: 'what are your opening hours' },
      { do: 'await_hangup', timeoutMs: 60_000 },
    ],
  });
  endless = calls.dial({
    script: [
      { do: 'interrupt', afterMs: 600 },
      { do: 'say', text: monologue },
      { do: 'await_hangup', timeoutMs: 60_000 },
    ],
  });
  for (const call of [silent, talkative, endless]) call.catch(() => undefined);
}, TIMEOUT_MS);
afterAll(() => calls?.[Symbol.asyncDispose](), TIMEOUT_MS);

const agentWords = (turns: readonly { readonly speaker: string; readonly heard_text: string }[]): string[] =>
  turns.filter((turn) => turn.speaker === 'agent').map((turn) => turn.heard_text);

it(
  'asks a silent caller whether they are there, then says goodbye: no_input',
  async () => {
    const dialled = await silent;
    const record = await dialled.record();
    expect(record).toMatchObject({ status: 'completed', disposition: 'no_input' });
    expect(agentWords(record.turns).slice(1)).toEqual([phraseText.still_there, phraseText.no_input_goodbye]);
    const heard = await dialled.heard();
    expect(await agentSaid(heard, phraseText.still_there)).toBeGreaterThan(SAME_WORDS);
    expect(await agentSaid(heard, phraseText.no_input_goodbye)).toBeGreaterThan(SAME_WORDS);
  },
  TIMEOUT_MS,
);

it(
  'answers the last turn and then says goodbye: max_turns',
  async () => {
    const dialled = await talkative;
    const record = await dialled.record();
    expect(record).toMatchObject({ status: 'completed', disposition: 'max_turns' });
    expect(record.turns.filter((turn) => turn.speaker === 'caller')).toHaveLength(1);
    expect(agentWords(record.turns).slice(-2)).toEqual([expect.stringMatching(/open/i), phraseText.max_turns_goodbye]);
    expect(await agentSaid(await dialled.heard(), phraseText.max_turns_goodbye)).toBeGreaterThan(SAME_WORDS);
  },
  TIMEOUT_MS,
);

it(
  'ends the call of a caller who never stops talking, with a goodbye: max_duration',
  async () => {
    const dialled = await endless;
    const record = await dialled.record();
    expect(record).toMatchObject({ status: 'completed', disposition: 'max_duration' });
    expect(await agentSaid(await dialled.heard(), phraseText.max_duration_goodbye)).toBeGreaterThan(SAME_WORDS);
    const talkedMs = Date.parse(record.ended_at ?? '') - Date.parse(record.answered_at ?? '');
    expect(talkedMs).toBeGreaterThanOrEqual(MAX_DURATION_SECONDS * 1_000);
  },
  TIMEOUT_MS,
);

it(
  'leaves nothing behind',
  async () => {
    await Promise.all([silent, talkative, endless]);
    await assertNothingLeft(calls);
  },
  TIMEOUT_MS,
);

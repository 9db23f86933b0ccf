/** Not one AI provider can be reached, and nothing was ever synthesised: the agent has no voice at all. */
import { startCallStack, type CallStack } from '../support/call-stack.ts';
import { startFaultyAi } from '../support/faulty-ai.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { promptPlayed, SAME_WORDS } from '../support/words-heard.ts';
import { sharedParts } from '../support/stack.ts';

const TIMEOUT_MS = 120_000;
let calls: CallStack;

beforeAll(async () => {
  const gone = await startFaultyAi({ upstream: sharedParts().openai.baseUrl });
  await gone.stop();
  calls = await startCallStack({ external: { openai: { baseUrl: gone.baseUrl, apiKey: 'key' } } });
}, TIMEOUT_MS);

afterAll(() => calls?.[Symbol.asyncDispose](), TIMEOUT_MS);

it(
  'the PBX says what the agent cannot, and the call ends once, as an error',
  async () => {
    const dialled = await calls.dial({ script: [{ do: 'await_hangup', timeoutMs: 60_000 }] });
    const heard = await dialled.heard();
    expect(await promptPlayed(heard, calls, 'technical-problem')).toBeGreaterThan(SAME_WORDS);
    expect(await promptPlayed(heard, calls, 'call-again')).toBeGreaterThan(SAME_WORDS);
    expect(await dialled.record()).toMatchObject({ status: 'failed', disposition: 'error', reason: 'voice_lost' });
    await assertNothingLeft(calls);
  },
  TIMEOUT_MS,
);

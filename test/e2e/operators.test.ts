/** Operators steer live calls: what they say is heard, and whom they transfer arrives, by the caller's own recording. */
import { LINE_RATE } from '../../setup/demo/voice-line.ts';
import { voice } from '../../setup/demo/voice.ts';
import type { Step } from '../../setup/demo/script-steps.ts';
import type { CallView } from '../../src/contracts/rest-calls.ts';
import { phraseText } from '../../src/media/phrases.ts';
import { nextCallerNumber, startCallStack, type CallStack, type Dialled } from '../support/call-stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { until } from '../support/pbx.ts';
import { resemblance } from '../support/sound.ts';
import { sharedParts } from '../support/stack.ts';
import { agentSaid, SAME_WORDS } from '../support/words-heard.ts';

const CALL_TIMEOUT_MS = 90_000;
const greeting: Step = { do: 'hear', what: 'a greeting', expect: /help/i };
let calls: CallStack;

beforeAll(async () => {
  calls = await startCallStack();
}, CALL_TIMEOUT_MS);
afterAll(() => calls?.[Symbol.asyncDispose](), CALL_TIMEOUT_MS);

const callPath = (id: string, tenantId = calls.stack.demo.tenantId): string => `/tenants/${tenantId}/calls/${id}`;
/** Somebody at the carrier; the PBX dials them as it would anybody. */
const address = (user: string): string => `sip:${user}@127.0.0.1:${calls.carrier.sip.port}`;

/** Dials, and lets the operator act as soon as the call is answered: while the greeting is still being said. */
async function steered(script: readonly Step[], act: (callId: string) => Promise<unknown>): Promise<Dialled> {
  const from = nextCallerNumber();
  const sinceMs = Date.now();
  const talk = calls.dial({ from, script });
  let live: CallView | undefined;
  await until('the call is in progress', async () => {
    live = await calls.records.callOf({ callerNumber: from, sinceMs });
    return live?.status === 'in_progress';
  });
  await act(live?.id ?? '');
  return talk;
}

test(
  'the agent says what an operator asks for, after what it is saying, and the talk goes on',
  async () => {
    const text = 'A colleague of mine is listening. Please speak slowly.';
    const dialled = await steered(
      [
        greeting,
        { do: 'hear', what: 'the operator’s words', expect: /speak slowly/i },
        { do: 'say', text: 'what are your opening hours' },
        { do: 'hear', what: 'an answer', expect: /monday/i },
        { do: 'hangup' },
      ],
      (id) => calls.api('POST', `${callPath(id)}/say`, { text }),
    );
    expect(dialled.failure).toBeNull();
    expect(await agentSaid(await dialled.heard(), 'A colleague of mine is listening.')).toBeGreaterThan(SAME_WORDS);
    const { turns } = await dialled.record();
    expect(turns[0]).toMatchObject({ speaker: 'agent', interrupted: false });
    expect(turns[1]).toMatchObject({ speaker: 'agent', text, heard_text: text, interrupted: false });
  },
  CALL_TIMEOUT_MS,
);

test(
  'a transferred caller talks to the one who answers there, after the call here has ended as transferred',
  async () => {
    const words = 'hello is this the front desk';
    let id = '';
    const dialled = await steered(
      [
        greeting,
        { do: 'hear', what: 'an announcement', expect: /connecting you/i },
        { do: 'silence', forMs: 3_000 },
        { do: 'say', text: words },
        { do: 'silence', forMs: 2_000 },
        { do: 'hangup' },
      ],
      async (callId) => {
        id = callId;
        await calls.api('POST', `${callPath(callId)}/transfer`, { to: address('desk') });
        await until(
          'the call here has ended',
          async () => (await calls.api<CallView>('GET', callPath(callId))).disposition !== null,
          20_000,
        );
        // The caller, the far end's own channel, and the line that plays the caller.
        expect(await calls.carrier.channelCount()).toBeGreaterThanOrEqual(3);
      },
    );
    expect(dialled.failure).toBeNull();
    expect(await dialled.record()).toMatchObject({ id, status: 'completed', disposition: 'transferred', reason: 'transferred' });
    const heard = await dialled.heard();
    expect(await agentSaid(heard, phraseText.transfer_announced)).toBeGreaterThan(SAME_WORDS);
    // The front desk says back what it hears: the caller's words have been there and have come back. The
    // first second of them: two ways through the network may lose a frame in the middle.
    const said = await voice(sharedParts().parts.flite.command, words);
    expect(resemblance(heard, said.subarray(0, LINE_RATE))).toBeGreaterThan(SAME_WORDS);
    await assertNothingLeft(calls);
  },
  CALL_TIMEOUT_MS,
);

test(
  'a caller whom nobody takes comes back, is told so, and is helped on',
  async () => {
    const dialled = await steered(
      [
        greeting,
        { do: 'hear', what: 'an apology', expect: /could not reach/i, timeoutMs: 20_000 },
        { do: 'say', text: 'what are your opening hours' },
        { do: 'hear', what: 'an answer', expect: /monday/i },
        { do: 'hangup' },
      ],
      (id) => calls.api('POST', `${callPath(id)}/transfer`, { to: address('busy') }),
    );
    expect(dialled.failure).toBeNull();
    expect(await dialled.record()).toMatchObject({ status: 'completed', disposition: 'caller_hangup' });
    expect(await agentSaid(await dialled.heard(), phraseText.transfer_failed)).toBeGreaterThan(SAME_WORDS);
    await assertNothingLeft(calls);
  },
  CALL_TIMEOUT_MS,
);

test(
  'what is not allowed is refused, and the talk notices nothing of it',
  async () => {
    const other = await calls.api<{ id: string }>('POST', '/tenants', { name: 'Another', country: 'US', timezone: 'America/New_York' });
    const dialled = await steered([greeting, { do: 'hangup' }], async (id) => {
      const asked = (path: string, body: unknown) => expect(calls.api('POST', path, body)).rejects;
      await asked(`${callPath(id)}/transfer`, { to: 'sip:+19005550100@premium.example' }).toThrow('403');
      await asked(`${callPath(id)}/transfer`, { to: 'sip:desk@127.0.0.1&PJSIP/x' }).toThrow('400');
      await asked(`${callPath(id)}/say`, { text: '  ' }).toThrow('400');
      await asked(`${callPath(id, other.id)}/say`, { text: 'hello' }).toThrow('404');
      await asked(`${callPath(id, other.id)}/transfer`, { to: address('desk') }).toThrow('404');
    });
    expect(dialled.failure).toBeNull();
    const record = await dialled.record();
    expect(record.turns).toHaveLength(1);
    await expect(calls.api('POST', `${callPath(record.id)}/say`, { text: 'too late' })).rejects.toThrow('409');
  },
  CALL_TIMEOUT_MS,
);

/** PostgreSQL and Redis killed for a minute with calls in several phases: the callers notice nothing, the records nothing missing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { liveCallKeys } from '../../src/contracts/media-node.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { phraseText } from '../../src/media/phrases.ts';
import { startCallStack, type CallStack, type Dialled } from '../support/call-stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { until } from '../support/pbx.ts';

const TIMEOUT_MS = 180_000;
const OUTAGE_MS = 60_000;
const HOURS = 'what are your opening hours';
const BYE = 'no that is everything thank you goodbye';

let calls: CallStack;

beforeAll(async () => {
  // The callers are silent for long in here; nobody is to remind them.
  calls = await startCallStack({ settings: { SILENCE_REMINDER_SECONDS: '90' } });
}, TIMEOUT_MS);
afterAll(() => calls?.[Symbol.asyncDispose](), TIMEOUT_MS);

/** While the API cannot be asked, the voice alone tells that the agent answers. */
const greeting = { do: 'hear', what: 'a greeting', timeoutMs: 15_000 } as const;
const answer = { do: 'hear', what: 'an answer', timeoutMs: 20_000 } as const;

it(
  'goes on with every call, and writes every turn and end once and in order afterwards',
  async () => {
    const pids = calls.stack.pids();
    const { stack } = calls;
    const [asking, greeted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let spoken = 0;
    const through = calls.dial({
      script: [
        { do: 'hear', what: 'a greeting', expect: /help/i },
        { do: 'say', text: HOURS },
        { do: 'hear', what: 'the opening hours', expect: /monday|nine/i },
        // A tool runs when the databases go.
        { do: 'say', text: HOURS },
        answer,
        { do: 'silence', forMs: OUTAGE_MS - 5_000 },
        { do: 'say', text: HOURS },
        { do: 'hear', what: 'the opening hours again', expect: /monday|nine/i },
        { do: 'silence', forMs: 4_000 },
        { do: 'say', text: BYE },
        { do: 'await_hangup', timeoutMs: 20_000 },
      ],
      onMoment: (moment) => {
        if (moment.kind === 'spoken') spoken += 1;
        if (spoken === 2) asking.resolve();
      },
    });
    const thinking = calls.dial({
      script: [greeting, { do: 'silence', forMs: 12_000 }, { do: 'say', text: HOURS }, answer, { do: 'hangup' }],
    });
    await asking.promise;
    const arriving = calls.dial({
      script: [greeting, { do: 'say', text: HOURS }, answer, { do: 'say', text: BYE }, { do: 'await_hangup', timeoutMs: 20_000 }],
      onMoment: ({ kind }) => kind === 'answered' && greeted.resolve(),
    });
    await greeted.promise;
    await Promise.all([stack.part('postgres').down(), stack.part('redis').down()]);
    const downAtMs = Date.now();
    const [left, finished] = await Promise.all([thinking, arriving]);
    expect([left.failure, finished.failure]).toEqual([null, null]);
    // Both ended while nothing could be written.
    expect(Date.now() - downAtMs).toBeLessThan(OUTAGE_MS);
    await sleep(downAtMs + OUTAGE_MS - Date.now());
    await Promise.all([stack.part('postgres').up(), stack.part('redis').up()]);

    const during = await Promise.all([left.record(), finished.record()]);
    expect(during.map((record) => record.disposition)).toEqual(['caller_hangup', 'completed']);
    const later = calls.dial({ script: [{ do: 'hear', what: 'a greeting', expect: /help/i }, { do: 'hangup' }] });
    await liveStateIsWhole();
    const talked = await through;
    expect(talked.failure).toBeNull();
    expect((await later).failure).toBeNull();
    const record = await talked.record();
    expect(record).toMatchObject({ status: 'completed', disposition: 'completed' });
    for (const [dialled, stored] of [
      [talked, record],
      [left, during[0]],
      [finished, during[1]],
    ] as const)
      expectWhole(dialled, stored);
    // The same processes from the beginning to the end.
    expect(stack.pids()).toMatchObject({ api: pids['api'], worker: pids['worker'], media: pids['media'] });
  },
  TIMEOUT_MS,
);

it('leaves nothing behind', () => assertNothingLeft(calls), TIMEOUT_MS);

/** All that the caller said is there as they said it, the agent answered each line, and every number is used once. */
function expectWhole({ said }: Dialled, record: CallDetailView | undefined): void {
  const turns = record?.turns ?? [];
  expect(turns.map((turn) => turn.sequence)).toEqual(turns.map((_, index) => index));
  expect(turns.filter((turn) => turn.speaker === 'caller').map((turn) => turn.text)).toEqual(said.map((line) => line.text));
  expect(turns.filter((turn) => turn.speaker === 'agent').length).toBeGreaterThan(said.length - 1);
  expect(turns.map((turn) => turn.text)).not.toContain(phraseText.error_goodbye);
  const starts = turns.map((turn) => Date.parse(turn.started_at));
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
  expect(record?.answered_at).not.toBeNull();
  expect(record?.usage?.ttsCharacters).toBeGreaterThan(0);
}

/** Redis has come back empty: what a successor or an operator would need of the running call has to be there again. */
async function liveStateIsWhole(): Promise<void> {
  const redis = new Redis(calls.stack.env['REDIS_URL'] ?? '');
  try {
    let seen: unknown;
    await until('the running call is in Redis again', async () => {
      const { items } = await calls.api<{ items: { id: string; disposition: string | null }[] }>(
        'GET',
        `/tenants/${calls.stack.demo.tenantId}/calls`,
      );
      for (const { id } of items.filter((call) => call.disposition === null)) {
        const keys = liveCallKeys(id);
        const [state, turns, startedAt] = await Promise.all([
          redis.hgetall(keys.state),
          redis.lrange(keys.turns, 0, -1),
          redis.get(keys.startedAt),
        ]);
        const sequences = turns.map((turn) => (JSON.parse(turn) as { sequence: number }).sequence);
        seen = { state, sequences, startedAt };
        if (
          startedAt !== null &&
          state['tenantId'] === calls.stack.demo.tenantId &&
          sequences.length >= 5 &&
          sequences.every((sequence, index) => sequence === index)
        )
          return true;
      }
      return false;
    }).catch((error: unknown) => {
      throw new Error(`Redis holds ${JSON.stringify(seen)}`, { cause: error });
    });
  } finally {
    redis.disconnect();
  }
}

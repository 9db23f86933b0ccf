/** The Temporal server killed for a minute with live calls: the callers notice nothing, and every workflow is closed properly afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { demoScript, wishOf } from '../../setup/demo/demo-script.ts';
import { workflowIdFor } from '../../src/contracts/call-workflow.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { startCallStack, type CallStack, type Dialled } from '../support/call-stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';

const TIMEOUT_MS = 180_000;
const OUTAGE_MS = 60_000;
/** A long call makes more: every ten turns a signal, and the attempts of the activity leave no events. */
const MOST_EVENTS = 45;
const HOURS = 'what are your opening hours';

let calls: CallStack;

beforeAll(async () => {
  calls = await startCallStack({ ownTemporal: true, settings: { SILENCE_REMINDER_SECONDS: '90' } });
}, TIMEOUT_MS);
afterAll(() => calls?.[Symbol.asyncDispose](), TIMEOUT_MS);

it(
  'lets live calls talk, use their tools and end, and has the whole of each call when it is back',
  async () => {
    const pids = calls.stack.pids();
    const temporal = calls.stack.part('temporal');
    const [greeted, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [hello, , , booking, booked] = demoScript(wishOf(0));
    if (hello === undefined || booking === undefined || booked === undefined) throw new Error('the demo caller has another script');
    const through = calls.dial({
      script: [
        hello,
        // From here on without Temporal: the appointment is made by a tool.
        booking,
        booked,
        { do: 'silence', forMs: OUTAGE_MS - 5_000 },
        { do: 'say', text: HOURS },
        { do: 'hear', what: 'the opening hours', expect: /monday|nine/i },
        { do: 'hangup' },
      ],
      onMoment: ({ kind }) => kind === 'say' && greeted.resolve(),
    });
    await greeted.promise;
    const ending = calls.dial({ script: demoScript(wishOf(1)), onMoment: ({ kind }) => kind === 'answered' && answered.resolve() });
    await answered.promise;
    await temporal.down();
    const downAtMs = Date.now();
    const ended = await ending;
    expect(ended.failure).toBeNull();
    // Its record is closed although its workflow cannot hear of it.
    expect(await ended.record()).toMatchObject({ status: 'completed', disposition: 'completed' });
    expect(Date.now() - downAtMs).toBeLessThan(OUTAGE_MS);
    await sleep(downAtMs + OUTAGE_MS - Date.now());
    await temporal.up();

    const arriving = calls.dial({ script: [hello, { do: 'hangup' }] });
    const talked = await through;
    expect([talked.failure, (await arriving).failure]).toEqual([null, null]);
    expect(await talked.record()).toMatchObject({ status: 'completed', disposition: 'caller_hangup' });
    for (const dialled of [talked, ended]) expectWhole(dialled, await dialled.record());
    expect(calls.stack.pids()).toMatchObject({ api: pids['api'], worker: pids['worker'], media: pids['media'] });
    await assertNothingLeft(calls);
    for (const dialled of [talked, ended]) await expectClosed(await dialled.record());
  },
  TIMEOUT_MS,
);

/** Every line and its answer in order, and each side effect once. */
function expectWhole({ said }: Dialled, { turns, bookings, tool_runs: runs }: CallDetailView): void {
  expect(turns.map((turn) => turn.sequence)).toEqual(turns.map((_, index) => index));
  expect(turns.filter((turn) => turn.speaker === 'caller')).toHaveLength(said.length);
  expect(bookings).toHaveLength(1);
  expect(new Set(runs.map((run) => run.key)).size).toBe(runs.length);
}

async function expectClosed({ id, disposition }: CallDetailView): Promise<void> {
  const { env } = calls.stack;
  const connection = await Connection.connect({ address: env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    const client = new Client({ connection, namespace: env['TEMPORAL_NAMESPACE'] ?? 'default' });
    const { status, typedSearchAttributes, historyLength } = await client.workflow.getHandle(workflowIdFor(id)).describe();
    const attributes = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
    expect({ status: status.name, ...attributes }).toMatchObject({
      status: 'COMPLETED',
      HoldfastState: 'ended',
      HoldfastDisposition: disposition,
    });
    expect(historyLength).toBeLessThanOrEqual(MOST_EVENTS);
  } finally {
    await connection.close();
  }
}

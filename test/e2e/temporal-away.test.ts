/** Temporal going away: calls that are live go on, calls that arrive are answered, and all of them have their workflows afterwards. */
import { Client, Connection } from '@temporalio/client';
import type { Step } from '../../setup/demo/script-steps.ts';
import { workflowIdFor } from '../../src/contracts/call-workflow.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { startCallStack, type CallStack, type Dialled } from '../support/call-stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { until } from '../support/pbx.ts';
import { sharedParts } from '../support/stack.ts';
import { startTcpGate, type TcpGate } from '../support/tcp-gate.ts';

const TIMEOUT_MS = 150_000;

let temporal: TcpGate;
let calls: CallStack;

beforeAll(async () => {
  const shared = sharedParts().temporal;
  const [host = '', port] = shared.address.split(':');
  temporal = await startTcpGate({ host, port: Number(port) });
  calls = await startCallStack({ external: { temporal: { ...shared, address: `127.0.0.1:${temporal.port}` } } });
}, TIMEOUT_MS);
afterAll(async () => {
  await calls?.[Symbol.asyncDispose]();
  await temporal?.[Symbol.asyncDispose]();
}, TIMEOUT_MS);

const script: readonly Step[] = [
  { do: 'hear', what: 'a greeting', expect: /help/i },
  { do: 'say', text: 'what are your opening hours' },
  { do: 'hear', what: 'the opening hours', expect: /open/i },
  { do: 'say', text: 'no that is everything thank you goodbye' },
  { do: 'await_hangup', timeoutMs: 60_000 },
];

/** @param onSaid with the number of the caller's sentence, from 1. */
function call(onSaid: (sentence: number) => void): Promise<Dialled> {
  let said = 0;
  return calls.dial({
    script,
    onMoment: (moment) => {
      if (moment.kind === 'say') onSaid(++said);
    },
  });
}

it(
  'callers notice nothing, and every workflow is complete afterwards',
  async () => {
    const outcomes: Promise<Dialled>[] = [];
    const arrivals = Promise.withResolvers<void>();
    // Temporal is away from the middle of the first call until the middle of the last.
    outcomes.push(call((sentence) => void (sentence === 1 && temporal.shut().then(arrivals.resolve))));
    await arrivals.promise;
    outcomes.push(call(() => undefined));
    outcomes.push(call((sentence) => void (sentence === 2 && temporal.open())));
    const dialled = await Promise.all(outcomes);
    await temporal.open();

    const records = await Promise.all(dialled.map((each) => each.record()));
    for (const [index, record] of records.entries()) {
      expect(dialled[index]?.failure).toBeNull();
      expect(record).toMatchObject({ status: 'completed', disposition: 'completed' });
      expect(record.turns.map((turn) => turn.sequence)).toEqual(record.turns.map((_, i) => i));
      expect(record.turns.map((turn) => turn.text)).toContain('what are your opening hours');
    }
    for (const record of records) await expectWorkflow(record);
    await assertNothingLeft(calls);
  },
  TIMEOUT_MS,
);

/** Closed as the record says, and able to show the whole talk. */
async function expectWorkflow(record: CallDetailView): Promise<void> {
  const connection = await Connection.connect({ address: sharedParts().temporal.address });
  try {
    const handle = new Client({ connection, namespace: sharedParts().temporal.namespace }).workflow.getHandle(workflowIdFor(record.id));
    await until(
      'the workflow is closed',
      async () => {
        const description = await handle.describe().catch(() => null);
        return description !== null && description.status.name !== 'RUNNING';
      },
      30_000,
    );
    expect((await handle.describe()).status.name).toBe('COMPLETED');
  } finally {
    await connection.close();
  }
}

/** A hundred calls at one moment: real API, Temporal, workers, PostgreSQL. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CallStage, type StageApi } from '../support/call-stage.ts';
import { until } from '../support/pbx.ts';
import type { ScriptedSession } from '../support/scripted-media-node.ts';

const TIMEOUT_MS = 120_000;
const ARRIVALS = 100;
const LIMIT = 12;

let stage: CallStage;
let api: StageApi;
beforeAll(async () => {
  stage = await CallStage.start();
  api = await stage.api();
}, TIMEOUT_MS);
afterAll(() => stage?.[Symbol.asyncDispose](), TIMEOUT_MS);

type Arrival = ReturnType<CallStage['arrival']>;

/** As the dialplan, but as patient as a machine needs that runs a hundred calls and all other tests. */
const TRIES = 10;

async function ring(call: Arrival): Promise<string> {
  for (let tries = 1; ; tries++) {
    const { status, body } = await stage.announce(api, call);
    if (status === 200) return body.status;
    if (tries === TRIES) return String(status);
  }
}

async function ringAll(calls: readonly Arrival[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const answer of await Promise.all(calls.map(ring))) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

function workflowExists(call: Arrival): Promise<boolean> {
  return stage
    .handle(call)
    .describe()
    .then(
      () => true,
      () => false,
    );
}

const untilHangup = async (session: ScriptedSession): Promise<void> => {
  session.answer();
  await session.until(() => session.hangups.length > 0);
  session.end('operator_hangup', 'operator');
};

test(
  'exactly the limit is admitted, every other call is refused, none is lost, and a dead worker keeps no line',
  async () => {
    await using node = await stage.mediaNode(untilHangup);
    let worker = await stage.worker();
    await stage.limitCalls(LIMIT);
    const calls = Array.from({ length: ARRIVALS }, () => stage.arrival());
    expect(await ringAll(calls)).toEqual({ accepted: LIMIT, over_limit: ARRIVALS - LIMIT });

    const records = await Promise.all(calls.map((call) => stage.call(call)));
    expect(records.filter((record) => record?.['disposition'] === null)).toHaveLength(LIMIT);
    expect(records.filter((record) => record?.['reason'] === 'over_limit')).toHaveLength(ARRIVALS - LIMIT);
    await until('every admitted call has its talk', () => node.sessions.size === LIMIT, 30_000);

    // The worker dies with all the calls in its hands, and they end while nobody works.
    process.kill(worker.pid, 'SIGKILL');
    await worker.exited;
    for (const session of node.sessions.values()) {
      session.hangups.push('by hand');
      session.end('operator_hangup', 'operator');
    }
    worker = await stage.worker();
    const admitted = calls.filter((_, index) => records[index]?.['disposition'] === null);
    await until(
      'every call has its end',
      async () => (await Promise.all(admitted.map((call) => stage.call(call)))).every((record) => record?.['disposition'] !== null),
      60_000,
    );
    const again = Array.from({ length: LIMIT + 1 }, () => stage.arrival());
    expect(await ringAll(again)).toEqual({ accepted: LIMIT, over_limit: 1 });
    for (const call of admitted) {
      // Those that the API decided by itself get theirs a little later.
      await until('its workflow exists', () => workflowExists(call), 30_000);
      expect(await stage.outcome(call)).toMatchObject({ disposition: 'operator_hangup' });
    }
  },
  TIMEOUT_MS,
);

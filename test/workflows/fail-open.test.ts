/** Calls that arrive while Temporal, PostgreSQL, or both are away: real processes, real servers behind gates. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { CallStage, type StageApi } from '../support/call-stage.ts';
import { interruptedTalk, interruptedTalkTexts } from '../support/call-scripts.ts';
import type { ScriptedSession } from '../support/scripted-media-node.ts';
import { until } from '../support/pbx.ts';

const TIMEOUT_MS = 90_000;

let stage: CallStage;
let api: StageApi;
beforeAll(async () => {
  stage = await CallStage.start();
  await stage.worker();
  api = await stage.api();
}, TIMEOUT_MS);
afterAll(() => stage?.[Symbol.asyncDispose]());

const weekday = ((): string => {
  const day = new Date(Date.now() + 4 * 86_400_000);
  while (day.getUTCDay() % 6 === 0) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
})();

const book = (session: ScriptedSession, time: string) =>
  session.tool({ key: '4:0', turn: 4, index: 0, name: 'book_appointment', arguments: JSON.stringify({ date: weekday, time }) });

const closed = (call: { callRecordId: string }) => stage.outcome(call as never);

async function workflowExists(call: ReturnType<CallStage['arrival']>): Promise<boolean> {
  return stage
    .handle(call)
    .describe()
    .then(
      () => true,
      () => false,
    );
}

test('a call that arrives while Temporal is away is served at once, and its workflow later knows all of it', async () => {
  const back = Promise.withResolvers<void>();
  await using node = await stage.mediaNode(
    interruptedTalk(async (session) => {
      expect(JSON.parse((await book(session, '10:00')).content)).toMatchObject({ booked: true });
      await back.promise;
    }),
  );
  const call = stage.arrival();
  await stage.temporalGate.shut();
  const answer = await stage.announce(api, call);
  expect(answer).toMatchObject({ status: 200, body: { status: 'accepted', call_record_id: call.callRecordId, media_app: node.node.app } });
  // The dialplan may ask twice.
  expect((await stage.announce(api, call)).body).toEqual(answer.body);

  const session = await node.session(call.callRecordId);
  await session.until(() => session.results.length > 0);
  await until('the turns so far are stored', async () => (await stage.turns(call)).length === 7);
  expect(session.acknowledged).toEqual([]);
  expect(await stage.call(call)).toMatchObject({ disposition: null, admitted_by: 'fail_open', workflow_started_at: null });

  await stage.temporalGate.open();
  await until('the workflow has the call', async () => (await workflowExists(call)) && session.attachments > 1, 30_000);
  back.resolve();
  expect(await closed(call)).toEqual({ disposition: 'caller_hangup', reason: 'hangup', turnCount: 13 });
  expect((await stage.turns(call)).map((turn) => turn.text)).toEqual(interruptedTalkTexts(session.plan.agent.greeting));
  expect(await stage.bookings(call)).toHaveLength(1);
  expect(await stage.details(call)).toContain('Question 1 of the caller');
  expect(await stage.call(call)).toMatchObject({ disposition: 'caller_hangup', workflow_started_at: expect.any(Date) });
  // Asked once more after the end: Temporal answers as the API did.
  expect((await stage.announce(api, call)).body).toEqual(answer.body);
  await stage.saveHistory('fail-open', call);
}, 90_000);

test('a call that ends before Temporal is back has its end at once, and its workflow afterwards', async () => {
  await using node = await stage.mediaNode(interruptedTalk(async () => undefined));
  const calls = [stage.arrival(), stage.arrival(), stage.arrival('+12025550187')];
  const [first, second, unknown] = calls as [(typeof calls)[0], (typeof calls)[0], (typeof calls)[0]];
  await stage.temporalGate.shut();
  const answers = await Promise.all(calls.map((call) => stage.announce(api, call)));
  expect(answers.map(({ body }) => body.status)).toEqual(['accepted', 'accepted', 'unknown_did']);
  for (const call of [first, second]) {
    await until('the call has its end', async () => (await stage.call(call))?.['disposition'] === 'caller_hangup');
  }
  await stage.temporalGate.open();
  for (const call of [first, second]) {
    await until('the workflow exists', () => workflowExists(call), 30_000);
    expect(await closed(call)).toEqual({ disposition: 'caller_hangup', reason: 'hangup', turnCount: 13 });
    const session = await node.session(call.callRecordId);
    expect((await stage.turns(call)).map((turn) => turn.text)).toEqual(interruptedTalkTexts(session.plan.agent.greeting));
    expect(await stage.details(call)).toContain('### Ended: caller hangup (hangup)');
    expect(await stage.details(call)).toContain('Answer 6 of the agent');
  }
  expect(await workflowExists(unknown)).toBe(false);
  await stage.saveHistory('over-before-temporal', first);
}, 90_000);

test('a talk whose API dies while Temporal is away is looked after by another API', async () => {
  const killed = Promise.withResolvers<void>();
  const back = Promise.withResolvers<void>();
  await using node = await stage.mediaNode(
    interruptedTalk(async (session) => {
      await killed.promise;
      // Nobody hears it until the next process comes.
      expect(JSON.parse((await book(session, '11:00')).content)).toMatchObject({ booked: true });
      await back.promise;
    }),
  );
  const call = stage.arrival();
  const doomed = await stage.api();
  await stage.temporalGate.shut();
  expect((await stage.announce(doomed, call)).body.status).toBe('accepted');
  const session = await node.session(call.callRecordId);
  await session.until(() => session.attached);
  process.kill(doomed.child.pid, 'SIGKILL');
  await doomed.child.exited;
  killed.resolve();
  await session.until(() => session.results.length > 0);
  await stage.temporalGate.open();
  back.resolve();
  await until('the workflow exists', () => workflowExists(call), 30_000);
  expect(await closed(call)).toMatchObject({ disposition: 'caller_hangup', turnCount: 13 });
  expect(await stage.bookings(call)).toHaveLength(1);
  expect((await stage.turns(call)).map((turn) => turn.text)).toEqual(interruptedTalkTexts(session.plan.agent.greeting));
}, 90_000);

test.each([
  ['PostgreSQL', ['postgresGate']],
  ['PostgreSQL and Temporal', ['postgresGate', 'temporalGate']],
] as const)(
  'while %s cannot be reached callers hear the apology, and are on record as missed afterwards',
  async (_, gates) => {
    await using node = await stage.mediaNode(interruptedTalk(async () => undefined));
    const calls = [stage.arrival(), stage.arrival(), stage.arrival()];
    for (const gate of gates) await stage[gate].shut();
    for (const tries of [1, 2]) {
      const answers = await Promise.all(calls.map((call) => stage.announce(api, call)));
      expect([tries, ...answers.map(({ status }) => status)]).toEqual([tries, 503, 503, 503]);
    }
    for (const gate of gates) await stage[gate].open();
    for (const call of calls) {
      await until('the missed call is on record', async () => (await stage.call(call)) !== undefined, 40_000);
      expect(await stage.call(call)).toMatchObject({ status: 'failed', disposition: 'error', reason: 'admission_timeout' });
      if (await workflowExists(call)) expect(await closed(call)).toMatchObject({ disposition: 'error', reason: 'admission_timeout' });
    }
    expect(node.sessions.size).toBe(0);
    const log = await readFile(api.logFile, 'utf8');
    for (const call of calls) expect(log).toMatch(new RegExp(`"event":"admission_failed","callId":"${call.callRecordId}"`));
  },
  120_000,
);

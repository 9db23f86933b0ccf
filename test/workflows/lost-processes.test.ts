import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../../setup/stack/child.ts';
import { HANGUP_UPDATE } from '../../src/contracts/call-workflow.ts';
import { until } from '../support/pbx.ts';
import { CallStage } from '../support/call-stage.ts';
import { interruptedTalk, interruptedTalkTexts, talkUntilHangup } from '../support/call-scripts.ts';

let stage: CallStage;
let worker: Child;
beforeAll(async () => {
  stage = await CallStage.start();
  worker = await stage.worker();
}, 60_000);
afterAll(() => stage?.[Symbol.asyncDispose]());

const weekday = ((): string => {
  const day = new Date(Date.now() + 3 * 86_400_000);
  while (day.getUTCDay() % 6 === 0) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
})();

test('a worker that is killed mid-call is followed by another one on the same talk, with nothing lost', async () => {
  await using node = await stage.mediaNode(
    interruptedTalk(async (session) => {
      await session.until(() => session.unacknowledged === 0);
      process.kill(worker.pid, 'SIGKILL');
      await session.until(() => !session.attached);
      // Said to nobody: kept by the node.
      const booking = session.tool({
        key: '4:0',
        turn: 4,
        index: 0,
        name: 'book_appointment',
        arguments: JSON.stringify({ date: weekday, time: '11:00' }),
      });
      worker = await stage.worker();
      expect(JSON.parse((await booking).content)).toMatchObject({ booked: true });
    }),
  );
  const request = stage.request();
  await stage.admit(request);
  expect(await stage.outcome(request)).toEqual({ disposition: 'caller_hangup', reason: 'hangup', turnCount: 13 });

  const session = await node.session(request.callRecordId);
  expect(session).toMatchObject({ attachments: 2, epoch: 1, over: true });
  expect((await stage.turns(request)).map((turn) => turn.text)).toEqual(interruptedTalkTexts(session.plan.agent.greeting));
  expect(await stage.bookings(request)).toHaveLength(1);
  expect((await stage.history(request)).length).toBeLessThanOrEqual(30);
  await stage.saveHistory('worker-lost', request);
}, 60_000);

test('a worker that is told to stop lets the talk go at once, and the next one goes on', async () => {
  await using node = await stage.mediaNode(
    interruptedTalk(async (session) => {
      await worker.stop();
      worker = await stage.worker();
      await session.until(() => session.attached);
    }),
  );
  const request = stage.request();
  await stage.admit(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'caller_hangup', turnCount: 13 });
  const session = await node.session(request.callRecordId);
  expect((await stage.turns(request)).map((turn) => turn.text)).toEqual(interruptedTalkTexts(session.plan.agent.greeting));
}, 60_000);

test('a hang-up that comes while no worker lives reaches the node with the next worker', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const request = stage.request();
  await stage.admit(request);
  const session = await node.session(request.callRecordId);
  await session.until(() => session.acknowledged.length > 0);
  process.kill(worker.pid, 'SIGKILL');
  await worker.exited;
  const wish = stage.handle(request).startUpdate(HANGUP_UPDATE, { args: [{ reason: 'too late' }], waitForStage: 'ACCEPTED' });
  worker = await stage.worker();
  await wish;
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'operator_hangup' });
  expect(session.hangups.length).toBeGreaterThan(0);
  expect(session.over).toBe(true);
}, 60_000);

test('the talk, its tools and its records go on while Temporal is away for longer than the heartbeat timeout, and it ends once', async () => {
  const request = stage.request();
  await using node = await stage.mediaNode(
    interruptedTalk(async (session) => {
      await stage.temporalGate.shut();
      // By now the worker’s own clock has given this attempt up.
      await sleep(20_000);
      const booking = await session.tool({
        key: '4:0',
        turn: 4,
        index: 0,
        name: 'book_appointment',
        arguments: JSON.stringify({ date: weekday, time: '15:00' }),
      });
      expect(JSON.parse(booking.content)).toMatchObject({ booked: true });
      session.say('caller', 'Thank you');
      await until('what was said meanwhile is stored', async () => (await stage.turns(request)).at(-1)?.text === 'Thank you');
      await stage.temporalGate.open();
    }),
  );
  await stage.admit(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'caller_hangup', turnCount: 14 });
  const session = await node.session(request.callRecordId);
  const texts = interruptedTalkTexts(session.plan.agent.greeting);
  expect((await stage.turns(request)).map((turn) => turn.text)).toEqual([...texts.slice(0, 7), 'Thank you', ...texts.slice(7)]);
  expect(await stage.bookings(request)).toHaveLength(1);
  expect(session.over).toBe(true);
}, 90_000);

test('a talk that ends while Temporal is away keeps its disposition, even when the node has forgotten it by then', async () => {
  const request = stage.request();
  let forgotten = false;
  let asked = 0;
  await using node = await stage.mediaNode(async (session) => {
    if (forgotten) {
      asked += 1;
      return session.end('abandoned', 'channel_never_came');
    }
    session.answer();
    session.say('caller', 'and goodbye');
    await session.until(() => session.unacknowledged === 0);
    await stage.temporalGate.shut();
    session.end('caller_hangup', 'hangup');
    await session.until(() => !session.attached);
    // Longer than the heartbeat timeout: Temporal gives this attempt up and does not take its result.
    await sleep(4_000);
    node.forget(request.callRecordId);
    forgotten = true;
    await stage.temporalGate.open();
  });
  await stage.admit(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'caller_hangup', reason: 'hangup' });
  expect(await stage.call(request)).toMatchObject({ status: 'completed', disposition: 'caller_hangup', reason: 'hangup' });
  expect(await stage.attributes(request)).toMatchObject({ HoldfastDisposition: 'caller_hangup' });
  expect(asked).toBeGreaterThan(0);
}, 60_000);

test('the talk goes on while PostgreSQL is away, and every turn is stored once, in order, when it is back', async () => {
  await using node = await stage.mediaNode(
    interruptedTalk(async () => {
      await stage.postgresGate.shut();
      setTimeout(() => void stage.postgresGate.open(), 1_500);
    }),
  );
  const request = stage.request();
  await stage.admit(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'caller_hangup', turnCount: 13 });
  const session = await node.session(request.callRecordId);
  expect((await stage.turns(request)).map((turn) => turn.text)).toEqual(interruptedTalkTexts(session.plan.agent.greeting));
}, 60_000);

test('turns that PostgreSQL did not take during the talk are stored before the call is closed', async () => {
  await using node = await stage.mediaNode(
    interruptedTalk(async (session) => {
      await stage.postgresGate.shut();
      void session.until(() => session.over && !session.attached).then(() => stage.postgresGate.open());
    }),
  );
  const request = stage.request();
  await stage.admit(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'caller_hangup', turnCount: 13 });
  const session = await node.session(request.callRecordId);
  expect((await stage.turns(request)).map((turn) => turn.text)).toEqual(interruptedTalkTexts(session.plan.agent.greeting));
  expect(await stage.call(request)).toMatchObject({ status: 'completed', disposition: 'caller_hangup' });
}, 60_000);

test('admit fails while PostgreSQL is away, and the missed call is recorded when it is back', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const request = stage.request();
  await stage.postgresGate.shut();
  try {
    await expect(stage.admit(request)).rejects.toMatchObject({ code: 'admission_timeout' });
  } finally {
    await stage.postgresGate.open();
  }
  expect(await stage.outcome(request)).toEqual({ disposition: 'error', reason: 'admission_timeout', turnCount: 0 });
  expect(await stage.call(request)).toMatchObject({ status: 'failed', disposition: 'error', reason: 'admission_timeout' });
  expect(node.sessions.size).toBe(0);
  await stage.saveHistory('missed', request);
}, 60_000);

test('a webhook that nobody admitted in time does not hold the caller: the call ends as soon as a worker is back', async () => {
  await using node = await stage.mediaNode((session) => session.end('abandoned', 'channel_never_came'));
  await worker.stop();
  const request = stage.request();
  await expect(stage.admit(request, 1_500)).rejects.toMatchObject({ code: 'admission_timeout' });
  await sleep(100);
  worker = await stage.worker();
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'abandoned' });
  expect(node.sessions.size).toBe(1);
}, 60_000);

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { HANGUP_UPDATE, type AdmitRequest, type HangupResponse } from '../../src/contracts/call-workflow.ts';
import { CallStage } from '../support/call-stage.ts';
import { interruptedTalk, interruptedTalkTexts, talkUntilHangup, tenTurnCall } from '../support/call-scripts.ts';
import type { ScriptedMediaNode } from '../support/scripted-media-node.ts';

let stage: CallStage;
beforeAll(async () => {
  stage = await CallStage.start();
  await stage.worker();
}, 60_000);
afterAll(() => stage?.[Symbol.asyncDispose]());

const hangUp = (request: AdmitRequest, reason: string) =>
  stage.handle(request).executeUpdate<HangupResponse, [{ reason: string }]>(HANGUP_UPDATE, { args: [{ reason }] });

async function talking(node: ScriptedMediaNode, request: AdmitRequest): Promise<void> {
  const session = await node.session(request.callRecordId);
  await session.until(() => session.acknowledged.length > 0);
}

test('inboundCall holds a ten-turn call within 30 events of history', async () => {
  await using _node = await stage.mediaNode(tenTurnCall);
  const request = stage.request();

  const answer = await stage.admit(request);
  expect(answer).toMatchObject({
    status: 'accepted',
    call_record_id: request.callRecordId,
    tenant_id: stage.demo.tenantId,
    media_app: 'holdfast-media-test',
  });
  expect(await stage.outcome(request)).toEqual({ disposition: 'completed', reason: 'end_call', turnCount: 22 });

  const turns = await stage.turns(request);
  expect(turns.map((turn) => turn.sequence)).toEqual(Array.from({ length: 22 }, (_, sequence) => sequence));
  expect(turns[1]).toMatchObject({ speaker: 'caller', text: 'Question 1 of the caller' });
  expect(await stage.call(request)).toMatchObject({
    status: 'completed',
    disposition: 'completed',
    reason: 'end_call',
    answered_at: expect.any(Date),
  });
  // 17 for a call without a signal and four for each of two; one signal may meet a workflow that is awake.
  expect((await stage.history(request)).length).toBeLessThanOrEqual(25);
  await stage.saveHistory('completed', request);
});

test('inboundCall tells an operator how the call went', async () => {
  await using _node = await stage.mediaNode(tenTurnCall);
  const request = stage.request();
  await stage.admit(request);
  await stage.outcome(request);

  expect(await stage.attributes(request)).toMatchObject({
    HoldfastTenantId: stage.demo.tenantId,
    HoldfastDirection: 'inbound',
    HoldfastState: 'ended',
    HoldfastDisposition: 'completed',
    HoldfastMediaNode: 'media-test',
  });
  const details = await stage.details(request);
  expect(details).toContain('### Ended: completed (end call)');
  expect(details).toContain('| 21 |');
  expect(details).toContain('| caller | Question 10 of the caller |  |');
  expect(details).toContain('| agent | Answer 10 of the agent | 700 ms |');
});

test('nothing of a call is readable in the history that Temporal keeps, and all of it with the keys', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const request = stage.request();
  await stage.admit(request);
  await talking(node, request);
  await hangUp(request, 'prank call');
  await stage.outcome(request);

  const raw = await stage.rawHistory(request);
  const { plan } = await node.session(request.callRecordId);
  const secrets = [
    'Question 1',
    'Answer 1',
    'Goodbye',
    'prank call',
    request.calledNumber,
    plan.agent.greeting,
    plan.agent.systemPrompt.slice(0, 40),
  ];
  expect([...secrets, 'latestTurns'].filter((secret) => raw.includes(secret))).toEqual([]);
  expect(raw).toContain(`tenant:${stage.demo.tenantId}`);
  expect(raw).toContain('/platform');
  expect(await stage.details(request)).toContain('Question 1 of the caller');
});

test('the words of a failure are not readable either', async () => {
  const node = await stage.mediaNode(interruptedTalk(() => new Promise(() => undefined)));
  const request = stage.request();
  await stage.admit(request);
  await talking(node, request);
  await node[Symbol.asyncDispose]();
  await stage.outcome(request);

  const raw = await stage.rawHistory(request);
  expect(raw).toContain('Encoded failure');
  expect(raw).not.toContain('out of reach');
});

test('admit answers a webhook that comes twice at once with one call, at the cost of one', async () => {
  await using node = await stage.mediaNode(tenTurnCall);
  const request = stage.request();

  const [first, second] = await Promise.all([stage.admit(request), stage.admit(request)]);
  expect(second).toEqual(first);
  await stage.outcome(request);
  expect(await stage.admit(request)).toEqual(first);
  expect(node.sessions.size).toBe(1);
  expect((await stage.history(request)).length).toBeLessThanOrEqual(25);
});

test('inboundCall refuses an unknown number without a talk', async () => {
  await using node = await stage.mediaNode(tenTurnCall);
  const request = stage.request('+12025550199');

  expect(await stage.admit(request)).toMatchObject({ status: 'unknown_did', call_record_id: null, tenant_id: null, media_app: null });
  expect(await stage.outcome(request)).toEqual({ disposition: 'rejected', reason: 'unknown_did', turnCount: 0 });
  expect(await stage.attributes(request)).toMatchObject({ HoldfastState: 'ended', HoldfastDisposition: 'rejected' });
  expect(node.sessions.size).toBe(0);
  await stage.saveHistory('refused', request);
});

test('inboundCall refuses a call when no media node is there', async () => {
  const request = stage.request();
  expect(await stage.admit(request)).toMatchObject({ status: 'no_capacity', tenant_id: stage.demo.tenantId, media_app: null });
  await stage.outcome(request);
  expect(await stage.call(request)).toMatchObject({ status: 'rejected', disposition: 'rejected', reason: 'no_capacity' });
});

test('inboundCall admits by itself when the update never came', async () => {
  await using _node = await stage.mediaNode(tenTurnCall);
  const request = stage.request();
  await stage.startWithoutUpdate(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'completed' });
});

test('hangup ends the talk politely, and is refused once the call is over', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const request = stage.request();
  await stage.admit(request);
  await talking(node, request);

  await expect(hangUp(request, '')).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
  expect(await hangUp(request, 'prank call')).toEqual({ status: 'accepted' });
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'operator_hangup', turnCount: 4 });
  expect((await stage.turns(request)).at(-1)).toMatchObject({ text: 'Goodbye!' });
  expect(node.sessions.get(request.callRecordId)).toMatchObject({ hangups: ['operator'], over: true });
  expect(await stage.details(request)).toContain('**Hang-up asked for** prank call');
  await expect(hangUp(request, 'again')).rejects.toThrow();
  await stage.saveHistory('hung-up', request);
});

test('a cancelled workflow ends the talk politely and closes the record', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const request = stage.request();
  await stage.admit(request);
  await talking(node, request);

  await stage.handle(request).cancel();
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'operator_hangup' });
  expect(await stage.call(request)).toMatchObject({ status: 'completed', disposition: 'operator_hangup' });
});

test('a terminated workflow leaves no caller behind: the worker hangs up and closes the record', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const request = stage.request();
  await stage.admit(request);
  await talking(node, request);

  await stage.handle(request).terminate('by hand');
  const session = await node.session(request.callRecordId);
  await session.until(() => session.over && !session.attached);
  expect(session.hangups).toEqual(['workflow_terminated']);
  expect(await stage.call(request)).toMatchObject({ status: 'completed', disposition: 'operator_hangup' });
});

test('inboundCall ends and says so when its record was deleted during the talk', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const request = stage.request();
  await stage.admit(request);
  await talking(node, request);
  await stage.deleteCall(request);
  await hangUp(request, 'tenant left');

  await expect(stage.outcome(request)).rejects.toThrow();
  expect(await stage.attributes(request)).toMatchObject({ HoldfastState: 'ended', HoldfastDisposition: 'operator_hangup' });
  expect(node.sessions.get(request.callRecordId)?.over).toBe(true);
});

test('inboundCall records a caller who never reached the media node as abandoned', async () => {
  await using _node = await stage.mediaNode((session) => session.end('abandoned', 'channel_never_came'));
  const request = stage.request();
  await stage.admit(request);
  expect(await stage.outcome(request)).toEqual({ disposition: 'abandoned', reason: 'channel_never_came', turnCount: 0 });
  expect(await stage.call(request)).toMatchObject({ status: 'completed', disposition: 'abandoned', answered_at: null });
});

test('converse runs a tool once when the node repeats the call on a new socket', async () => {
  const day = nextWeekday();
  await using node = await stage.mediaNode(async (session) => {
    session.answer();
    const booking = {
      key: '1:0',
      turn: 1,
      index: 0,
      name: 'book_appointment',
      arguments: JSON.stringify({ date: day, time: '10:00', name: 'Ann' }),
    };
    const answer = session.tool(booking);
    session.dropSocket();
    session.say('agent', (await answer).content);
    session.end('completed', 'end_call');
  });
  const request = stage.request();
  await stage.admit(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'completed' });

  const session = await node.session(request.callRecordId);
  expect(session.attachments).toBeGreaterThan(1);
  expect(JSON.parse(session.results[0]?.content ?? '')).toMatchObject({ booked: true, date: day, time: '10:00' });
  expect(await stage.bookings(request)).toHaveLength(1);
});

test('converse loses no turn when the control socket breaks in the middle', async () => {
  await using node = await stage.mediaNode(
    interruptedTalk(async (session) => {
      session.dropSocket();
      await sleep(20);
    }),
  );
  const request = stage.request();
  await stage.admit(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'caller_hangup', turnCount: 13 });
  const session = await node.session(request.callRecordId);
  expect((await stage.turns(request)).map((turn) => turn.text)).toEqual(interruptedTalkTexts(session.plan.agent.greeting));
  expect(session).toMatchObject({ over: true, unacknowledged: 1, attachments: 2 });
});

/** YYYY-MM-DD of a weekday at least two days from now. */
function nextWeekday(): string {
  const day = new Date(Date.now() + 2 * 86_400_000);
  while (day.getUTCDay() % 6 === 0) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

/** What operators can ask of a running call, through Temporal as its UI does, and through the gateway as the API does. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { SAY_UPDATE, TRANSFER_UPDATE, type AdmitRequest, type SteerResponse } from '../../src/contracts/call-workflow.ts';
import { HANGUP_UPDATE } from '../../src/contracts/call-workflow.ts';
import { CallStage } from '../support/call-stage.ts';
import { talkUntilHangup } from '../support/call-scripts.ts';
import type { ScriptedMediaNode, ScriptedSession } from '../support/scripted-media-node.ts';

const allowedHost = 'desk.example.com';
const colleague = `sip:reception@${allowedHost}`;
let stage: CallStage;
beforeAll(async () => {
  stage = await CallStage.start({ env: { TRANSFER_ALLOWED_HOSTS: `127.0.0.1, ${allowedHost}` } });
  await stage.worker();
}, 60_000);
afterAll(() => stage?.[Symbol.asyncDispose]());

async function talking(node: ScriptedMediaNode): Promise<{ request: AdmitRequest; session: ScriptedSession }> {
  const request = stage.request();
  await stage.admit(request);
  const session = await node.session(request.callRecordId);
  await session.until(() => session.acknowledged.length > 0);
  return { request, session };
}

const ask = (request: AdmitRequest, update: string, argument: unknown, updateId?: string): Promise<SteerResponse> =>
  stage
    .handle(request)
    .executeUpdate<SteerResponse, [unknown]>(update, { args: [argument], ...(updateId === undefined ? {} : { updateId }) });

/** Type and words of the failure that an operator sees. */
async function refusal(work: Promise<unknown>): Promise<{ type: string | null | undefined; message: string }> {
  const error = await work.then(
    () => new Error('was accepted'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  return { type: error.cause.type, message: error.cause.message };
}

test('say reaches the media node once per update id, and is shown with the call', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const { request, session } = await talking(node);
  expect(await ask(request, SAY_UPDATE, { text: ' A colleague is listening. ' }, 'first')).toEqual({ status: 'accepted' });
  expect(await ask(request, SAY_UPDATE, { text: ' A colleague is listening. ' }, 'first')).toEqual({ status: 'accepted' });
  expect([...session.commands]).toEqual([['first', { kind: 'say', text: 'A colleague is listening.' }]]);
  expect(await stage.details(request)).toContain('**Operator** says: A colleague is listening.');
  await ask(request, HANGUP_UPDATE, { reason: 'done' });
  await stage.outcome(request);
  expect(await stage.rawHistory(request)).not.toContain('colleague');
  await stage.saveHistory('said', request);
});

test('transfer reaches the media node, and the call ends as transferred', async () => {
  await using node = await stage.mediaNode(async (session) => {
    session.answer();
    await session.until(() => session.commands.size > 0);
    session.say('agent', 'One moment please, I am connecting you.');
    session.end('transferred', 'transferred');
  });
  const { request, session } = await talking(node);
  expect(await ask(request, TRANSFER_UPDATE, { to: colleague })).toEqual({ status: 'accepted' });
  expect(await stage.outcome(request)).toEqual({ disposition: 'transferred', reason: 'transferred', turnCount: 1 });
  expect([...session.commands.values()]).toEqual([{ kind: 'transfer', to: colleague }]);
  expect(await stage.call(request)).toMatchObject({ status: 'completed', disposition: 'transferred' });
  expect(await stage.rawHistory(request)).not.toContain('reception@');
  await stage.saveHistory('transferred', request);
});

test('what makes no sense is refused with words that help, and the talk goes on', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const { request, session } = await talking(node);
  const say = (argument: unknown) => refusal(ask(request, SAY_UPDATE, argument));
  const transfer = (to: unknown) => refusal(ask(request, TRANSFER_UPDATE, { to }));
  for (const bad of [undefined, {}, { text: '   ' }, { text: 'x'.repeat(501) }, { text: 'two\nlines' }, { text: 7 }])
    expect(await say(bad)).toMatchObject({ type: 'invalid_request', message: expect.stringContaining('1 to 500 characters') });
  for (const bad of [undefined, 'reception', `sip:a&b@${allowedHost}`, `${colleague};x=1`, `sips:a@${allowedHost}`, 'sip:${EXTEN}@x'])
    expect(await transfer(bad)).toMatchObject({ type: 'invalid_request', message: expect.stringContaining('sip:user@host') });
  expect(await transfer('sip:+19005550100@premium.example')).toMatchObject({
    type: 'transfer_forbidden',
    message: expect.stringContaining('TRANSFER_ALLOWED_HOSTS'),
  });
  expect(session.commands.size).toBe(0);
  node.steerRefusal = { code: 'conflict', message: 'The call is ending' };
  expect(await say({ text: 'too late' })).toMatchObject({ type: 'conflict' });
  await ask(request, HANGUP_UPDATE, { reason: 'done' });
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'operator_hangup' });
});

test('a node that is not to be reached is reported within seconds', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const { request } = await talking(node);
  node.steerRefusal = { code: 'media_node_lost', message: 'This node does not hold the call' };
  expect(await refusal(ask(request, SAY_UPDATE, { text: 'hello' }))).toMatchObject({ type: 'media_node_lost' });
  node.steerRefusal = null;
  expect(await ask(request, SAY_UPDATE, { text: 'hello' })).toEqual({ status: 'accepted' });
  await ask(request, HANGUP_UPDATE, { reason: 'done' });
  await stage.outcome(request);
});

test('the forms of the Temporal UI explain themselves', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const { request } = await talking(node);
  const { definition } = await stage
    .handle(request)
    .query<{ definition: { updateDefinitions: { name: string; description: string }[] } }>('__temporal_workflow_metadata');
  const described = Object.fromEntries(definition.updateDefinitions.map(({ name, description }) => [name, description]));
  expect(described['say']).toContain('{"text":');
  expect(described['transfer']).toContain('{"to": "sip:user@host"}');
  expect(described['hangup']).toContain('{"reason":');
  await ask(request, HANGUP_UPDATE, { reason: 'done' });
  await stage.outcome(request);
});

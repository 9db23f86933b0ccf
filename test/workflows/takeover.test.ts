import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../../setup/stack/child.ts';
import type { Checkpoint, ToolRound } from '../../src/contracts/checkpoint.ts';
import type { AdmitRequest } from '../../src/contracts/call-workflow.ts';
import { CallStage } from '../support/call-stage.ts';
import type { ScriptedMediaNode, ScriptedSession } from '../support/scripted-media-node.ts';

let stage: CallStage;
let worker: Child;
beforeAll(async () => {
  stage = await CallStage.start();
  worker = await stage.worker();
}, 60_000);
afterAll(() => stage?.[Symbol.asyncDispose]());

const standing: Checkpoint = {
  answeredAt: '2026-11-21T10:00:00.000Z',
  floor: 'agent',
  speech: {
    isReply: true,
    text: 'We are open until five. Anything else?',
    complete: true,
    sentenceAt: 0,
    heardTo: 0,
    audible: true,
    startedAt: '2026-11-21T10:00:09.000Z',
    endCall: false,
  },
  afterSaying: 'listen',
  text: '',
  unanswered: 'until when are you open',
  turns: 1,
  reminders: 0,
  endCallRequested: false,
  ending: null,
  toSay: [],
  transferTo: null,
  steered: [],
  transferring: false,
  nextSequence: 2,
  usage: { sttSeconds: 2, llmPromptTokens: 100, llmCompletionTokens: 20, ttsCharacters: 60 },
};
const round: ToolRound = {
  id: 0,
  turn: 1,
  before: 2,
  calls: [{ id: 'c1', name: 'get_opening_hours', arguments: '{}', key: '1:0', result: '{"hours":"9 to 5"}' }],
};

/** Greets, hears a question, and is in the middle of the answer when it is asked no more. */
function halfACall(session: ScriptedSession): void {
  session.answer();
  session.say('agent', 'Hello.');
  session.say('caller', 'until when are you open');
  session.remember(standing, [round]);
}

/** The other half. */
async function theRest(session: ScriptedSession): Promise<void> {
  session.answer();
  // Long enough for the workflow to be told of the new node.
  await sleep(3_200);
  session.say('agent', 'We are open until five. Anything else?');
  session.say('caller', 'no thank you');
  session.end('caller_hangup', 'hangup');
}

async function begin(first: ScriptedMediaNode): Promise<{ request: AdmitRequest; session: ScriptedSession }> {
  const request = stage.request();
  await stage.admit(request);
  const session = await first.session(request.callRecordId);
  await session.until(() => session.acknowledged.includes(4));
  return { request, session };
}

async function expectWholeCall(request: AdmitRequest, second: ScriptedMediaNode): Promise<void> {
  expect(await stage.outcome(request)).toEqual({ disposition: 'caller_hangup', reason: 'hangup', turnCount: 4 });
  expect((await stage.turns(request)).map((turn) => turn.text)).toEqual([
    'Hello.',
    'until when are you open',
    'We are open until five. Anything else?',
    'no thank you',
  ]);
  expect(await stage.call(request)).toMatchObject({ disposition: 'caller_hangup', media_node: second.node.id });
}

test.each([
  ['dies', (node: ScriptedMediaNode) => node[Symbol.asyncDispose]()],
  ['hangs without closing its sockets', async (node: ScriptedMediaNode) => node.freeze()],
  ['asks to be relieved', async (_node: ScriptedMediaNode, session: ScriptedSession) => session.askForHandover()],
])(
  'another media node goes on with the call when the first one %s',
  async (what, strike) => {
    await using first = await stage.mediaNode(halfACall, 'media-a');
    await using second = await stage.mediaNode(theRest, 'media-b');
    const { request, session } = await begin(first);
    await strike(first, session);
    await expectWholeCall(request, second);

    const taken = await second.session(request.callRecordId);
    expect(taken.epoch).toBe(2);
    expect(taken.resume).toEqual({ checkpoint: standing, rounds: [round] });
    expect(taken.plan.transcript.map((turn) => turn.text)).toEqual(['Hello.', 'until when are you open']);
    expect(await stage.attributes(request)).toMatchObject({ HoldfastMediaNode: 'media-b' });
    if (what === 'dies') await stage.saveHistory('takeover', request);
  },
  60_000,
);

test('a take-over costs at most six events of history', async () => {
  const lengths: number[] = [];
  for (const dies of [false, true]) {
    await using first = await stage.mediaNode(async (session) => {
      halfACall(session);
      await session.until(() => session.acknowledged.includes(4));
      if (dies) await first[Symbol.asyncDispose]();
      else await theRest(session);
    }, 'media-a');
    await using _second = await stage.mediaNode(theRest, 'media-b');
    const request = stage.request();
    await stage.admit(request);
    await stage.outcome(request);
    lengths.push((await stage.history(request)).length);
  }
  const [without = 0, with_ = 0] = lengths;
  expect(with_ - without).toBeLessThanOrEqual(6);
}, 60_000);

test('the same node takes its call over when it is back, as another process', async () => {
  const first = await stage.mediaNode(halfACall, 'media-a');
  const { request } = await begin(first);
  await first[Symbol.asyncDispose]();
  await using again = await stage.mediaNode(theRest, 'media-a');
  await expectWholeCall(request, again);
  expect((await again.session(request.callRecordId)).epoch).toBe(2);
}, 60_000);

test('a node that was only slow, where there is no other one, keeps the talk it holds', async () => {
  await using only = await stage.mediaNode(async (session) => {
    halfACall(session);
    await session.until(() => session.acknowledged.includes(4));
    only.freeze();
    await sleep(1_500);
    only.thaw();
    await session.until(() => session.attachments > 1);
    await theRest(session);
  }, 'media-a');
  const request = stage.request();
  await stage.admit(request);
  await expectWholeCall(request, only);
}, 60_000);

test('a call that its node has no room for goes to another one', async () => {
  await using first = await stage.mediaNode(halfACall, 'media-a');
  first.refusal = { code: 'media_node_full', message: 'full' };
  await using _second = await stage.mediaNode((session) => {
    halfACall(session);
    void theRest(session);
  }, 'media-b');
  const request = stage.request();
  await stage.admit(request);
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'caller_hangup' });
}, 60_000);

test('a worker that dies together with the media node is followed by one that finds another node', async () => {
  const first = await stage.mediaNode(halfACall, 'media-a');
  await using second = await stage.mediaNode(theRest, 'media-b');
  const { request } = await begin(first);
  process.kill(worker.pid, 'SIGKILL');
  await first[Symbol.asyncDispose]();
  worker = await stage.worker();
  await expectWholeCall(request, second);
}, 60_000);

test('a call for which no media node is left is closed as an error', async () => {
  const only = await stage.mediaNode(halfACall, 'media-a');
  const { request } = await begin(only);
  await only[Symbol.asyncDispose]();
  expect(await stage.outcome(request)).toMatchObject({ disposition: 'error', reason: 'no_media_node' });
  expect(await stage.call(request)).toMatchObject({ status: 'failed', disposition: 'error', reason: 'no_media_node' });
}, 60_000);

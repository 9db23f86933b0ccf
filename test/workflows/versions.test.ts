/** A deploy in the middle of a call: it began under one version of the worker and goes on under the next. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HANGUP_UPDATE, SAY_UPDATE, type AdmitRequest } from '../../src/contracts/call-workflow.ts';
import { CallStage } from '../support/call-stage.ts';
import { talkUntilHangup } from '../support/call-scripts.ts';
import { changedProject, markedChange, type ChangedProject } from '../support/changed-project.ts';

let stage: CallStage;
let next: ChangedProject;
beforeAll(async () => {
  stage = await CallStage.start();
  next = await changedProject(markedChange);
}, 60_000);
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await next?.[Symbol.asyncDispose]();
});

const ask = (request: AdmitRequest, update: string, argument: object) =>
  stage.handle(request).executeUpdate<unknown, [object]>(update, { args: [argument] });

/** Ids of the patch markers in a call's history. */
async function markers(request: AdmitRequest): Promise<string[]> {
  const raw = await stage.rawHistory(request);
  return ['before-talk', 'after-talk'].filter((id) => raw.includes(id));
}

test('a call that began under version 1 goes on under version 2, and so does one that follows', async () => {
  await using node = await stage.mediaNode(talkUntilHangup);
  const first = await stage.worker();
  const old = stage.request();
  await stage.admit(old);
  const session = await node.session(old.callRecordId);
  await session.until(() => session.acknowledged.length > 0);

  const second = await stage.worker(next.root);
  await first.stop();
  await session.until(() => session.attachments > 1);
  expect(await ask(old, SAY_UPDATE, { text: 'still here' })).toEqual({ status: 'accepted' });

  const young = stage.request();
  await stage.admit(young);
  const sessionOfYoung = await node.session(young.callRecordId);
  await sessionOfYoung.until(() => sessionOfYoung.acknowledged.length > 0);

  for (const request of [old, young]) {
    await ask(request, HANGUP_UPDATE, { reason: 'done' });
    expect(await stage.outcome(request)).toMatchObject({ disposition: 'operator_hangup', turnCount: 4 });
    expect((await stage.turns(request)).map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
    expect(await stage.call(request)).toMatchObject({ status: 'completed', disposition: 'operator_hangup' });
  }
  // What version 1 had passed stays as it was; what was still to come is version 2's.
  expect(await markers(old)).toEqual(['after-talk']);
  expect(await markers(young)).toEqual(['before-talk', 'after-talk']);
  await second.stop();
}, 90_000);

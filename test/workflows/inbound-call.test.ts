import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CallStage } from '../support/call-stage.ts';
import { tenTurnCall } from '../support/call-scripts.ts';

let stage: CallStage;
beforeAll(async () => {
  stage = await CallStage.start();
  await stage.worker();
}, 60_000);
afterAll(() => stage?.[Symbol.asyncDispose]());

test('inboundCall holds a ten-turn call within 30 events of history', async () => {
  await using _node = await stage.mediaNode(tenTurnCall);
  const request = stage.request();

  const answer = await stage.admit(request);
  expect(answer).toMatchObject({ status: 'accepted', call_record_id: request.callRecordId, tenant_id: stage.demo.tenantId, media_app: 'holdfast-media-test' });
  expect(await stage.outcome(request)).toEqual({ disposition: 'completed', reason: 'end_call', turnCount: 22 });

  const turns = await stage.turns(request);
  expect(turns.map((turn) => turn.sequence)).toEqual(Array.from({ length: 22 }, (_, sequence) => sequence));
  expect(turns[1]).toMatchObject({ speaker: 'caller', text: 'Question 1 of the caller' });
  expect(await stage.call(request)).toMatchObject({ status: 'completed', disposition: 'completed', reason: 'end_call' });

  const { events = [] } = await stage.handle(request).fetchHistory();
  expect(events?.length).toBeLessThanOrEqual(30);
});

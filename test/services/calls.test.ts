import { randomUUID } from 'node:crypto';
import type { FinalizeRequest } from '../../src/contracts/call-workflow.ts';
import type { TurnRecord } from '../../src/contracts/turn.ts';
import { CallLog } from '../../src/services/call-log.ts';
import { finalizeCall, recordAnswered, recordTurns, type CallRef } from '../../src/services/calls.ts';
import { dispositions } from '../../src/domain/call.ts';
import { addCall, addTenant, tenantWorld, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
let tenantId: string;
beforeAll(async () => {
  world = await tenantWorld();
  tenantId = (await addTenant(world)).tenantId;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const newCall = async (): Promise<CallRef> => ({ tenantId, callId: await addCall(world, tenantId) });
const read = (ref: CallRef) => new CallLog(world).get(ref);

const turn = (sequence: number, text: string, change: Partial<TurnRecord> = {}): TurnRecord => ({
  sequence,
  speaker: sequence % 2 === 0 ? 'agent' : 'caller',
  text,
  heardText: text,
  interrupted: false,
  startedAt: '2026-11-20T15:00:00.000Z',
  endedAt: '2026-11-20T15:00:02.345Z',
  latencies: { sttMs: 120.5 },
  ...change,
});

const end = (ref: CallRef, change: Partial<FinalizeRequest> = {}): FinalizeRequest => ({
  ...ref,
  disposition: 'completed',
  reason: 'end_call',
  answeredAt: '2026-11-20T15:00:01.000Z',
  endedAt: '2026-11-20T15:02:00.000Z',
  usage: { sttSeconds: 12.5, llmPromptTokens: 100, llmCompletionTokens: 20, ttsCharacters: 300 },
  ...change,
});

describe('recordAnswered', () => {
  test('keeps the first time, to the millisecond', async () => {
    const ref = await newCall();
    await recordAnswered(world, { ...ref, answeredAt: '2026-11-20T15:00:01.234Z' });
    await recordAnswered(world, { ...ref, answeredAt: '2026-11-20T15:00:09.000Z' });
    expect(await read(ref)).toMatchObject({ status: 'in_progress', answered_at: '2026-11-20T15:00:01.234Z' });
  });

  test('does not bring a finished call back', async () => {
    const ref = await newCall();
    await finalizeCall(world, end(ref, { answeredAt: null }));
    await recordAnswered(world, { ...ref, answeredAt: '2026-11-20T15:00:01.234Z' });
    expect(await read(ref)).toMatchObject({ status: 'completed', answered_at: null });
  });
});

describe('recordTurns', () => {
  test('stores what was said, in order, whatever order it came in', async () => {
    const ref = await newCall();
    await recordTurns(world, { ...ref, turns: [turn(1, 'Hi'), turn(2, 'What can I do for you?')] });
    await recordTurns(world, { ...ref, turns: [turn(0, 'Thank you for calling.')] });
    const { turns } = await read(ref);
    expect(turns.map(({ sequence, speaker, text }) => [sequence, speaker, text])).toEqual([
      [0, 'agent', 'Thank you for calling.'],
      [1, 'caller', 'Hi'],
      [2, 'agent', 'What can I do for you?'],
    ]);
    expect(turns[0]).toMatchObject({ ended_at: '2026-11-20T15:00:02.345Z', latencies: { sttMs: 120.5 }, interrupted: false });
  });

  test('a turn that comes again takes the place of the first', async () => {
    const ref = await newCall();
    await recordTurns(world, { ...ref, turns: [turn(0, 'We are open from nine to five.')] });
    await recordTurns(world, {
      ...ref,
      turns: [turn(0, 'x'), turn(0, 'We are open from nine to five.', { heardText: 'We are open', interrupted: true })],
    });
    expect((await read(ref)).turns).toMatchObject([
      { text: 'We are open from nine to five.', heard_text: 'We are open', interrupted: true },
    ]);
  });

  test('survives what a recogniser may write', async () => {
    const ref = await newCall();
    const odd = 'caf\u00e9 \u{1f600} \u0000 "quoted" \\ \u2028 \uFFFD';
    await recordTurns(world, { ...ref, turns: [turn(0, odd), turn(1, '')] });
    expect((await read(ref)).turns.map(({ text }) => text)).toEqual([odd.replace('\u0000', ''), '']);
  });

  test('an unknown call, and a call of another tenant, is not_found', async () => {
    const ref = await newCall();
    const other = await addTenant(world);
    await expect(recordTurns(world, { tenantId, callId: randomUUID(), turns: [turn(0, 'x')] })).rejects.toMatchObject({
      code: 'not_found',
      retryable: false,
    });
    await expect(recordTurns(world, { tenantId: other.tenantId, callId: ref.callId, turns: [turn(0, 'x')] })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect((await read(ref)).turns).toEqual([]);
  });
});

describe('finalizeCall', () => {
  test.each(dispositions)('%s is written with its terminal status', async (disposition) => {
    const ref = await newCall();
    const expected = { error: 'failed', rejected: 'rejected' }[disposition as string] ?? 'completed';
    expect(await finalizeCall(world, end(ref, { disposition }))).toMatchObject({ status: expected, disposition });
    expect(await read(ref)).toMatchObject({
      status: expected,
      disposition,
      ended_at: '2026-11-20T15:02:00.000Z',
      usage: { ttsCharacters: 300 },
    });
  });

  test('the first disposition wins; later ones are told what is stored', async () => {
    const ref = await newCall();
    const first = await finalizeCall(world, end(ref));
    const later = await finalizeCall(
      world,
      end(ref, { disposition: 'error', reason: 'media_node_lost', endedAt: '2026-11-20T16:00:00.000Z' }),
    );
    expect(later).toEqual(first);
    expect(await read(ref)).toMatchObject({ disposition: 'completed', reason: 'end_call', ended_at: '2026-11-20T15:02:00.000Z' });
  });

  test('of many at the same moment exactly one is written', async () => {
    const ref = await newCall();
    const wishes = dispositions.map((disposition) => finalizeCall(world, end(ref, { disposition })));
    const answers = await Promise.all(wishes);
    const { disposition } = await read(ref);
    expect(new Set(answers.map((answer) => answer.disposition))).toEqual(new Set([disposition]));
  });

  test('fills in the answer time when nobody had written it', async () => {
    const ref = await newCall();
    await finalizeCall(world, end(ref));
    expect((await read(ref)).answered_at).toBe('2026-11-20T15:00:01.000Z');
  });

  test('an unknown call is not_found', async () => {
    await expect(finalizeCall(world, end({ tenantId, callId: randomUUID() }))).rejects.toMatchObject({ code: 'not_found' });
  });
});

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAri, type Ari } from '../../src/telephony/asterisk/ari.ts';
import { createCallControl } from '../../src/telephony/asterisk/call-control.ts';
import { releaseOrphans } from '../../src/telephony/asterisk/orphans.ts';
import { accept, ARI_USER, silentLogger, startTestCarrier, startTestPbx, startTestWebhook, until } from '../support/pbx.ts';
import type { TestCarrier, TestPbx, TestWebhook } from '../support/pbx.ts';
import { ear, readWav, resemblance } from '../support/sound.ts';

const APP = 'holdfast-control';
let webhook: TestWebhook;
let running: TestPbx;
let network: TestCarrier;
const entered: string[] = [];
const left: string[] = [];
const connections: Ari[] = [];

beforeAll(async () => {
  webhook = await startTestWebhook();
  webhook.answer = accept(APP);
  running = await startTestPbx(webhook.url);
  network = await startTestCarrier(running.options);
});
afterEach(async () => {
  for (const ari of connections.splice(0)) await ari.close();
});
afterAll(async () => {
  await network[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
  await webhook[Symbol.asyncDispose]();
});

async function connect(app = APP): Promise<Ari> {
  const ari = await connectAri({
    url: running.pbx.ariUrl,
    ...ARI_USER,
    app,
    logger: silentLogger,
    onChannelEntered: ({ channelId }) => void entered.push(channelId),
    onChannelLeft: ({ channelId }) => void left.push(channelId),
  });
  connections.push(ari);
  return ari;
}

const prompt = (name: string): Int16Array => readWav(join(running.pbx.dir, 'prompts', `${name}.wav16`));

/** A caller joined with a leg, as the media node does it. */
async function converse(ari: Ari, callId: string) {
  const calls = entered.length;
  const hearing = ear();
  const marks: string[] = [];
  const placing = network.carrier.placeCall({ to: '+4930123456', from: '+4915112345678', onHeard: hearing.onHeard });
  await until('the call enters', () => entered.length > calls);
  const channelId = entered[calls] ?? '';
  const control = createCallControl(ari, { nodeId: 'one', logger: silentLogger });
  const events = {
    onAudio: () => undefined,
    onMark: (id: string) => void marks.push(id),
    onDtmf: () => undefined,
    onClosed: () => undefined,
  };
  const leg = await control.connect({ callId, epoch: 1, channelId, events });
  return { channelId, control, leg, marks, call: await placing, heard: hearing.heard };
}

test('createCallControl: a caller is answered, spoken to, hung up, and nothing is left', async () => {
  const ari = await connect();
  const { channelId, control, leg, marks, call, heard } = await converse(ari, 'plain');
  leg.play(prompt('connecting-you'));
  leg.mark('end');
  await until('the words are heard', () => marks.includes('end'));
  await control.hangup({ callId: 'plain', epoch: 1, channelId });
  expect(await call.ended).toMatchObject({ by: 'callee', cause: 16 });
  await leg.close();
  await control.release({ callId: 'plain', epoch: 1, channelId });
  await control.release({ callId: 'plain', epoch: 1, channelId });
  await until('the media channel is gone', async () => (await ari.snapshot()).channels.length === 0);
  expect(await ari.snapshot()).toEqual({ channels: [], bridges: [] });
  expect(resemblance(heard(), prompt('connecting-you'))).toBeGreaterThan(0.9);
});

test('createCallControl: a caller who has gone meanwhile is channel_missing', async () => {
  const ari = await connect();
  const control = createCallControl(ari, { nodeId: 'one', logger: silentLogger });
  const events = { onAudio: () => undefined, onMark: () => undefined, onDtmf: () => undefined, onClosed: () => undefined };
  await expect(control.connect({ callId: 'gone', epoch: 1, channelId: 'no-such-channel', events })).rejects.toMatchObject({
    code: 'channel_missing',
    retryable: false,
  });
  await control.release({ callId: 'gone', epoch: 1, channelId: 'no-such-channel' });
  await until('nothing is left', async () => {
    const { channels, bridges } = await ari.snapshot();
    return channels.length + bridges.length === 0;
  });
});

test('takeOver: the caller of a node that died hears the next one, who owns the call from then on', async () => {
  const dying = await connect();
  const { leg, channelId, call, heard, control: old } = await converse(dying, 'taken');
  await leg.close();
  const heir = await connect(`${APP}-heir`);
  const marks: string[] = [];
  const events = {
    onAudio: () => undefined,
    onMark: (id: string) => void marks.push(id),
    onDtmf: () => undefined,
    onClosed: () => undefined,
  };
  const control = createCallControl(heir, { nodeId: 'two', logger: silentLogger });
  const taken = await control.takeOver({ callId: 'taken', epoch: 2, channelId, events });
  taken.play(prompt('connecting-you'));
  taken.mark('end');
  await until('the words are heard', () => marks.includes('end'));
  expect(resemblance(heard(), prompt('connecting-you'))).toBeGreaterThan(0.9);

  const mine = { callId: 'taken', epoch: 1, channelId };
  expect(await old.standing(mine)).toBe('lost');
  await old.hangup(mine);
  await old.release(mine);
  await old.giveBack(mine);
  await expect(old.takeOver({ ...mine, events })).rejects.toMatchObject({ code: 'stale_epoch' });
  const theirs = { ...mine, epoch: 2 };
  expect(await control.standing(theirs)).toBe('ours');
  const { bridges, channels } = await heir.snapshot();
  expect(bridges).toEqual([{ id: 'hf-bridge-taken', channelIds: expect.arrayContaining([channelId]) as string[] }]);
  expect(channels).toHaveLength(2);

  await control.hangup(theirs);
  expect(await call.ended).toMatchObject({ by: 'callee', cause: 16 });
  await taken.close();
  await control.release(theirs);
  await until('nothing is left', async () => (await heir.snapshot()).channels.length === 0);
  expect(await control.standing(theirs)).toBe('gone');
  expect(await heir.snapshot()).toEqual({ channels: [], bridges: [] });
});

test('takeOver: a caller who waits in this node’s own application, unanswered, stays', async () => {
  const ari = await connect();
  const calls = entered.length;
  const placing = network.carrier.placeCall({ to: '+4930123456', from: '+4915112345678' });
  await until('the call enters', () => entered.length > calls);
  const channelId = entered[calls] ?? '';
  const control = createCallControl(ari, { nodeId: 'one', logger: silentLogger });
  const events = { onAudio: () => undefined, onMark: () => undefined, onDtmf: () => undefined, onClosed: () => undefined };
  const mine = { callId: 'waiting', epoch: 2, channelId };
  const leg = await control.takeOver({ ...mine, events });
  const call = await placing;
  await sleep(300);
  expect(left).not.toContain(channelId);
  expect(await control.standing(mine)).toBe('ours');
  expect((await ari.snapshot()).bridges).toHaveLength(1);
  await control.hangup(mine);
  await call.ended;
  await leg.close();
  await control.release(mine);
});

test('releaseOrphans: the caller of a node that died hears the apology from its successor, and nothing is left', async () => {
  const dying = await connect();
  const { leg, call, heard } = await converse(dying, 'orphan');
  await dying.close();
  await leg.close();
  const heir = await connect();
  await releaseOrphans(heir, { logger: silentLogger, isKnown: () => false, isLive: () => false });
  expect(await call.ended).toMatchObject({ by: 'callee', cause: 16 });
  expect(resemblance(heard(), prompt('technical-problem'))).toBeGreaterThan(0.9);
  expect(await heir.snapshot()).toEqual({ channels: [], bridges: [] });
});

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { callOfMediaChannel, bridgeIdFor, newMediaChannelId } from '../../src/telephony/asterisk/ari-ids.ts';
import { connectAri, type Ari } from '../../src/telephony/asterisk/ari.ts';
import { createKeeper } from '../../src/telephony/asterisk/keeper.ts';
import { accept, ARI_USER, silentLogger, startTestCarrier, startTestPbx, startTestWebhook, until } from '../support/pbx.ts';
import type { TestCarrier, TestPbx, TestWebhook } from '../support/pbx.ts';
import { ear, readWav, resemblance } from '../support/sound.ts';

/** Of a node that dies: its application stays in the PBX with nobody behind it. */
const DEAD = 'holdfast-dead';
let webhook: TestWebhook;
let running: TestPbx;
let network: TestCarrier;
const connections: Ari[] = [];

beforeAll(async () => {
  webhook = await startTestWebhook();
  webhook.answer = accept(DEAD);
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

async function connect(app: string, entered: string[] = []): Promise<Ari> {
  const ari = await connectAri({
    url: running.pbx.ariUrl,
    ...ARI_USER,
    app,
    logger: silentLogger,
    onChannelEntered: ({ channelId }) => void entered.push(channelId),
    onChannelLeft: () => undefined,
  });
  connections.push(ari);
  return ari;
}

/** A caller in a bridge with a media channel of a node that is dead by the time this resolves. */
async function abandonedCall(callId: string) {
  const entered: string[] = [];
  const ari = await connect(DEAD, entered);
  const hearing = ear();
  const placing = network.carrier.placeCall({ to: '+4930123456', from: '+4915112345678', onHeard: hearing.onHeard });
  await until('the call enters', () => entered.length > 0);
  const channelId = entered[0] ?? '';
  await ari.answer(channelId);
  const bridgeId = bridgeIdFor(callId);
  await ari.createBridge(bridgeId);
  await ari.addToBridge(bridgeId, [channelId]);
  const mediaChannelId = newMediaChannelId({ callId, epoch: 1 });
  await ari.createExternalMedia({ channelId: mediaChannelId, format: 'slin16' });
  await ari.close();
  return { channelId, bridgeId, mediaChannelId, call: await placing, heard: hearing.heard };
}

test('a keeper sees a dead node’s call, sends its caller to the spoken fallback and removes the rest', async () => {
  const callId = randomUUID();
  const { channelId, bridgeId, mediaChannelId, heard, call } = await abandonedCall(callId);
  const keeper = createKeeper(await connect('holdfast-keeper'), silentLogger);
  expect(await keeper.inventory()).toEqual({
    callers: [{ channelId, held: true }],
    media: [{ channelId: mediaChannelId, callId, epoch: 1 }],
    bridges: [{ bridgeId, callId }],
  });
  const all = { channels: [channelId, mediaChannelId], bridges: [bridgeId] };
  const asked: unknown[] = [];
  expect(await keeper.remove(all, (thing) => asked.push(thing) < 0)).toEqual([]);
  expect(asked).toContainEqual({ id: mediaChannelId, callId, epoch: 1 });
  expect(asked).toContainEqual({ id: channelId, callId: null, epoch: null });
  expect((await keeper.inventory()).bridges).toHaveLength(1);

  expect((await keeper.remove(all, () => true)).sort()).toEqual([bridgeId, channelId, mediaChannelId].sort());
  expect(await keeper.inventory()).toEqual({ callers: [{ channelId, held: false }], media: [], bridges: [] });
  // A sweep that comes again finds its work done.
  expect((await keeper.remove(all, () => true)).sort()).toEqual([bridgeId, channelId, mediaChannelId].sort());
  const apology = readWav(join(running.pbx.dir, 'prompts', 'technical-problem.wav16'));
  await until('the caller hears the apology', () => resemblance(heard(), apology) > 0.5, 15_000);
  await call.hangup();
}, 40_000);

test('a keeper leaves callers in the dialplan, other bridges, and bridges with a caller in them', async () => {
  const callId = randomUUID();
  const { channelId, bridgeId, mediaChannelId, call } = await abandonedCall(callId);
  const ari = await connect('holdfast-keeper');
  await ari.createBridge('of-somebody-else');
  const keeper = createKeeper(ari, silentLogger);
  expect(await keeper.remove({ channels: [], bridges: [bridgeId, 'of-somebody-else'] }, () => true)).toEqual([]);
  const { callers, bridges } = await keeper.inventory();
  expect(callers).toEqual([{ channelId, held: true }]);
  expect(bridges).toEqual([{ bridgeId, callId }]);
  await ari.destroyBridge('of-somebody-else');
  await keeper.remove({ channels: [channelId, mediaChannelId], bridges: [bridgeId] }, () => true);
  expect((await keeper.inventory()).callers).toEqual([{ channelId, held: false }]);
  expect(await keeper.remove({ channels: [channelId], bridges: [] }, () => true)).toEqual([channelId]);
  expect((await keeper.inventory()).callers).toEqual([{ channelId, held: false }]);
  await call.hangup();
}, 40_000);

test('callOfMediaChannel reads the call and its epoch from a channel of ours, and from no other', () => {
  const callId = randomUUID();
  expect(callOfMediaChannel(newMediaChannelId({ callId, epoch: 12 }))).toEqual({ callId, epoch: 12 });
  expect(callOfMediaChannel('1790000000.12')).toBeNull();
});

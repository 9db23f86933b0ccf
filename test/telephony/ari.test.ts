import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { connectAri, type Ari, type AriOptions, type AriSnapshot } from '../../src/telephony/asterisk/ari.ts';
import { bridgeIdFor, newMediaChannelId } from '../../src/telephony/asterisk/ari-ids.ts';
import { freePort } from '../../setup/stack/ports.ts';
import {
  accept,
  ARI_USER,
  CALL_RECORD_ID,
  silentLogger,
  startTestCarrier,
  startTestPbx,
  startTestWebhook,
  until,
  type TestCarrier,
  type TestPbx,
  type TestWebhook,
} from '../support/pbx.ts';
import { startAriGate } from '../support/ari-gate.ts';
import { startTcpGate } from '../support/tcp-gate.ts';
import { ear, readWav, resemblance } from '../support/sound.ts';

const APP = 'holdfast-ari';
let webhook: TestWebhook;
let running: TestPbx;
let network: TestCarrier;
const open = new Set<Ari>();

beforeAll(async () => {
  webhook = await startTestWebhook();
  running = await startTestPbx(webhook.url);
  network = await startTestCarrier(running.options);
  webhook.answer = accept(APP);
});
afterEach(async () => {
  for (const ari of open) await ari.close();
  open.clear();
});
afterAll(async () => {
  await network[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
  await webhook[Symbol.asyncDispose]();
});

interface Session {
  readonly ari: Ari;
  readonly entered: { channelId: string; args: readonly string[] }[];
  readonly left: { channelId: string; cause: number | null; because: string }[];
  readonly digits: string[];
  readonly snapshots: AriSnapshot[];
  replaced: number;
}

async function session(more: Partial<AriOptions> = {}): Promise<Session> {
  const seen = { entered: [], left: [], digits: [], snapshots: [], replaced: 0 } as Omit<Session, 'ari'>;
  const ari = await connectAri({
    url: running.pbx.ariUrl,
    ...ARI_USER,
    app: APP,
    logger: silentLogger,
    onChannelEntered: (event) => void seen.entered.push(event),
    onChannelLeft: (event) => void seen.left.push(event),
    onDtmf: ({ digit }) => void seen.digits.push(digit),
    onReconnected: (snapshot) => void seen.snapshots.push(snapshot),
    onReplaced: () => void (seen.replaced += 1),
    ...more,
  });
  open.add(ari);
  return Object.assign(seen, { ari });
}

/** A caller who is in the application and answered. */
async function ring(to: Session, onHeard?: (pcm: Int16Array) => void) {
  const before = to.entered.length;
  const placing = network.carrier.placeCall({ to: '+4930123456', from: '+4915112345678', ...(onHeard && { onHeard }) });
  await until('the call enters', () => to.entered.length > before);
  const channelId = to.entered[before]?.channelId ?? '';
  await to.ari.answer(channelId);
  return { channelId, call: await placing };
}

const bridged = async (ari: Ari, callId: string): Promise<readonly string[] | undefined> =>
  (await ari.snapshot()).bridges.find(({ id }) => id === bridgeIdFor(callId))?.channelIds;

test('connectAri: a wrong password is not worth a retry, a PBX that is down is', async () => {
  await expect(session({ password: 'wrong' })).rejects.toMatchObject({ code: 'ari_failed', retryable: false, details: { status: 401 } });
  await expect(session({ url: `http://127.0.0.1:${await freePort()}` })).rejects.toMatchObject({ code: 'ari_failed', retryable: true });
});

test('connectAri: a caller enters with the record’s id, presses keys and hangs up', async () => {
  const seen = await session();
  const { channelId, call } = await ring(seen);
  expect(seen.entered).toEqual([{ channelId, args: [CALL_RECORD_ID] }]);
  await call.sendDtmf('42');
  await until('both digits arrived', () => seen.digits.length === 2);
  expect(seen.digits).toEqual(['4', '2']);
  await call.hangup();
  await until('the caller left', () => seen.left.length > 0);
  expect(seen.left).toEqual([{ channelId, cause: 16, because: 'hung_up' }]);
  expect((await seen.ari.snapshot()).channels).toEqual([]);
});

test('Ari: what is done twice is done once, and what is gone stays gone', async () => {
  const seen = await session();
  const { ari } = seen;
  const { channelId, call } = await ring(seen);
  await ari.createBridge(bridgeIdFor('twice'));
  await ari.createBridge(bridgeIdFor('twice'));
  await ari.addToBridge(bridgeIdFor('twice'), [channelId]);
  await ari.addToBridge(bridgeIdFor('twice'), [channelId]);
  expect(await bridged(ari, 'twice')).toEqual([channelId]);
  await ari.hangup(channelId);
  await ari.hangup(channelId);
  expect(await call.ended).toMatchObject({ by: 'callee', cause: 16 });
  await ari.destroyBridge(bridgeIdFor('twice'));
  await ari.destroyBridge(bridgeIdFor('twice'));
  const missing = { code: 'channel_missing', retryable: false };
  await expect(ari.answer(channelId)).rejects.toMatchObject(missing);
  await expect(ari.moveChannel(channelId, ['call-1'])).rejects.toMatchObject(missing);
  await expect(ari.continueInDialplan(channelId, { context: 'holdfast-fallback', extension: 's', priority: 1 })).rejects.toMatchObject(
    missing,
  );
  await ari.createBridge(bridgeIdFor('twice'));
  await expect(ari.addToBridge(bridgeIdFor('twice'), [channelId])).rejects.toMatchObject(missing);
  await ari.destroyBridge(bridgeIdFor('twice'));
  await expect(ari.addToBridge(bridgeIdFor('twice'), [channelId])).rejects.toMatchObject({ code: 'ari_failed', details: { status: 404 } });
  expect(await ari.snapshot()).toEqual({ channels: [], bridges: [] });
});

test('addToBridge: waits for a media channel whose leg has just connected', async () => {
  const { ari } = await session();
  const channelId = newMediaChannelId({ callId: 'early', epoch: 1 });
  const { mediaUrl } = await ari.createExternalMedia({ channelId, format: 'slin16' });
  await ari.createBridge(bridgeIdFor('early'));
  const adding = ari.addToBridge(bridgeIdFor('early'), [channelId]);
  const socket = new WebSocket(mediaUrl, 'media');
  await adding;
  expect(await bridged(ari, 'early')).toEqual([channelId]);
  socket.close();
  await until('the media channel is gone', async () => (await ari.snapshot()).channels.length === 0);
  await ari.destroyBridge(bridgeIdFor('early'));
});

test('moveChannel: another node takes a caller over from an application that is dead', async () => {
  const dying = await session();
  const { channelId, call } = await ring(dying);
  await dying.ari.createBridge(bridgeIdFor('moved'));
  await dying.ari.addToBridge(bridgeIdFor('moved'), [channelId]);
  await dying.ari.close();
  const heir = await session({ app: `${APP}-heir` });
  expect((await heir.ari.snapshot()).channels).toEqual([expect.objectContaining({ id: channelId, state: 'Up', inApp: false })]);
  await heir.ari.moveChannel(channelId, ['call-1']);
  await until('the caller enters the other application', () => heir.entered.length === 1);
  expect((await heir.ari.snapshot()).channels).toEqual([expect.objectContaining({ id: channelId, state: 'Up', inApp: true })]);
  await call.hangup();
  await until('the other node hears of the end', () => heir.left.length === 1);
  expect(heir.left).toEqual([{ channelId, cause: 16, because: 'hung_up' }]);
  await heir.ari.destroyBridge(bridgeIdFor('moved'));
});

test('continueInDialplan: a caller who is given back hears the apology', async () => {
  const seen = await session();
  const { onHeard, heard } = ear();
  const { channelId, call } = await ring(seen, onHeard);
  await seen.ari.continueInDialplan(channelId, { context: 'holdfast-fallback', extension: 's', priority: 1 });
  expect(await call.ended).toMatchObject({ by: 'callee', cause: 16 });
  expect(seen.left).toEqual([{ channelId, cause: null, because: 'moved' }]);
  const words = readWav(join(running.pbx.dir, 'prompts/technical-problem.wav16'));
  expect(resemblance(heard(), words)).toBeGreaterThan(0.9);
});

test('onReplaced: a node learns that another one answers to its name', async () => {
  const first = await session();
  const second = await session();
  await until('the first is told', () => first.replaced === 1);
  const { channelId, call } = await ring(second);
  expect(first.entered).toEqual([]);
  await second.ari.hangup(channelId);
  await call.ended;
});

test('a PBX that hangs is noticed by the watchdog; the caller is still there when it comes back', async () => {
  const seen = await session({ pingIntervalMs: 200, requestTimeoutMs: 400 });
  const { channelId, call } = await ring(seen);
  process.kill(running.pbx.pid, 'SIGSTOP');
  try {
    await until('the PBX stands still', () => / T /.test(readFileSync(`/proc/${running.pbx.pid}/stat`, 'utf8')));
    await expect(seen.ari.ping()).rejects.toMatchObject({ code: 'ari_failed', retryable: true });
    await until('the watchdog dropped the socket', () => !seen.ari.connected);
  } finally {
    process.kill(running.pbx.pid, 'SIGCONT');
  }
  await until('the node is connected again', () => seen.snapshots.length > 0);
  expect(seen.snapshots[0]?.channels).toEqual([expect.objectContaining({ id: channelId, state: 'Up', inApp: true })]);
  expect(seen.left).toEqual([]);
  await call.hangup();
  await until('events arrive again', () => seen.left.length === 1);
});

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a PBX that ends by %s: its callers are reported as lost, and the next call is served without a new connection',
  async (signal) => {
    const seen = await session();
    const { channelId } = await ring(seen);
    await running.restart(signal);
    await until('the node is connected again', () => seen.snapshots.length > 0);
    expect(seen.left).toEqual([{ channelId, cause: null, because: 'pbx_lost' }]);
    expect(seen.snapshots.at(-1)).toEqual({ channels: [], bridges: [] });
    const next = await ring(seen);
    expect(next.channelId).not.toBe(channelId);
    await next.call.hangup();
    await until('the next caller left', () => seen.left.length === 2);
    expect(seen.left[1]).toMatchObject({ because: 'hung_up' });
  },
);

test('a gap in the events: who hung up meanwhile has left, who stayed is untouched', async () => {
  await using gate = await startTcpGate({ host: '127.0.0.1', port: running.options.httpPort });
  const seen = await session({ url: `http://127.0.0.1:${gate.port}` });
  const staying = await ring(seen);
  const leaving = await ring(seen);
  await gate.shut();
  await until('the socket is gone', () => !seen.ari.connected);
  await leaving.call.hangup();
  await gate.open();
  await until('the node is connected again', () => seen.snapshots.length > 0);
  expect(seen.left).toEqual([{ channelId: leaving.channelId, cause: null, because: 'hung_up' }]);
  await staying.call.hangup();
  await until('events arrive again', () => seen.left.length === 2);
  expect(seen.left[1]).toEqual({ channelId: staying.channelId, cause: 16, because: 'hung_up' });
});

test('connectAri: waits for a PBX that is still starting', async () => {
  await running.pbx.stop();
  const connecting = session({ connectWithinMs: 20_000 });
  await sleep(600);
  await running.restart();
  const seen = await connecting;
  const { call } = await ring(seen);
  await call.hangup();
});

test('connectAri: waits for a PBX that answers, but has not loaded everything', async () => {
  await using gate = await startAriGate({ host: '127.0.0.1', port: running.options.httpPort });
  gate.loading = true;
  const connecting = session({ url: gate.url, connectWithinMs: 20_000 });
  await sleep(1_200);
  gate.loading = false;
  expect((await (await connecting).ari.snapshot()).channels).toEqual([]);
});

test('close: ends for good, without a reconnect', async () => {
  const { ari, snapshots } = await session();
  await ari.close();
  expect(ari.connected).toBe(false);
  await running.restart();
  expect(snapshots).toEqual([]);
});

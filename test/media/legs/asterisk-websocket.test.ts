import { setTimeout as sleep } from 'node:timers/promises';
import type { CarrierCall } from '../../../setup/demo/carrier-call.ts';
import { connectAsteriskWebsocketLeg } from '../../../src/media/legs/asterisk-websocket.ts';
import type { MediaLeg } from '../../../src/media/legs/leg.ts';
import { connectAri, type Ari } from '../../../src/telephony/asterisk/ari.ts';
import { bridgeIdFor, newMediaChannelId } from '../../../src/telephony/asterisk/ari-ids.ts';
import {
  accept,
  ARI_USER,
  silentLogger,
  startTestCarrier,
  startTestPbx,
  startTestWebhook,
  until,
  type TestCarrier,
  type TestPbx,
  type TestWebhook,
} from '../../support/pbx.ts';
import { ear, loudness, readWav, resemblance } from '../../support/sound.ts';
import { join } from 'node:path';

const APP = 'holdfast-leg';
const RATE = 16_000;
const SAME = 0.9;
const LOUD = 300;

let webhook: TestWebhook;
let running: TestPbx;
let network: TestCarrier;
let ari: Ari;
let enter: (channelId: string) => void = () => undefined;
let calls = 0;

beforeAll(async () => {
  webhook = await startTestWebhook();
  webhook.answer = accept(APP);
  running = await startTestPbx(webhook.url);
  network = await startTestCarrier(running.options);
  ari = await connectAri({
    url: running.pbx.ariUrl,
    ...ARI_USER,
    app: APP,
    logger: silentLogger,
    onChannelEntered: ({ channelId }) => enter(channelId),
    onChannelLeft: () => undefined,
  });
});
afterEach(async () => {
  await until('the PBX holds nothing', async () => {
    const { channels, bridges } = await ari.snapshot();
    for (const { id } of bridges) await ari.destroyBridge(id);
    return channels.length + bridges.length === 0;
  });
});
afterAll(async () => {
  await ari.close();
  await network[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
  await webhook[Symbol.asyncDispose]();
});

interface Line extends AsyncDisposable {
  readonly leg: MediaLeg;
  readonly call: CarrierCall;
  readonly channelId: string;
  /** What the caller hears, and what arrives from them. */
  readonly heard: () => Int16Array;
  readonly said: () => Int16Array;
  readonly marks: string[];
  readonly mediaChannelId: string;
  readonly digits: string[];
  readonly closed: string[];
}

/** A real caller in a bridge with a real leg. */
async function talk(): Promise<Line> {
  const callId = `leg-${(calls += 1)}`;
  const [hearing, speaking] = [ear(), ear()];
  const entered = new Promise<string>((resolve) => (enter = resolve));
  const placing = network.carrier.placeCall({ to: '+4930123456', from: '+4915112345678', onHeard: hearing.onHeard });
  const channelId = await entered;
  const mediaChannelId = newMediaChannelId({ callId, epoch: 1 });
  const { mediaUrl } = await ari.createExternalMedia({ channelId: mediaChannelId, format: 'slin16' });
  const seen = { marks: [] as string[], digits: [] as string[], closed: [] as string[] };
  const leg = await connectAsteriskWebsocketLeg({
    url: mediaUrl,
    logger: silentLogger,
    events: {
      onAudio: speaking.onHeard,
      onMark: (id) => void seen.marks.push(id),
      onDtmf: (digit) => void seen.digits.push(digit),
      onClosed: (reason) => void seen.closed.push(reason),
    },
  });
  await ari.createBridge(bridgeIdFor(callId));
  await ari.answer(channelId);
  await ari.addToBridge(bridgeIdFor(callId), [channelId, mediaChannelId]);
  const call = await placing;
  return {
    ...seen,
    mediaChannelId,
    leg,
    call,
    channelId,
    heard: hearing.heard,
    said: speaking.heard,
    async [Symbol.asyncDispose]() {
      await leg.close();
      await call.hangup();
      await ari.destroyBridge(bridgeIdFor(callId));
    },
  };
}

const words = (name: string): Int16Array => readWav(join(running.pbx.dir, 'prompts', `${name}.wav16`));
const loud = (pcm: Int16Array): number => loudness(pcm).filter((rms) => rms > LOUD).length;
/** The beginning of speech at the caller's ear. */
const speaking = (line: Line) => until('the caller hears something', () => loud(line.heard()) > 5);

function playInPieces(leg: MediaLeg, pcm: Int16Array, samples: number): void {
  for (let at = 0; at < pcm.length; at += samples) leg.play(pcm.subarray(at, at + samples));
}

test('the caller hears what is played, the agent hears what the caller says', async () => {
  await using line = await talk();
  expect(line.leg.sampleRate).toBe(RATE);
  playInPieces(line.leg, words('not-in-service'), 333);
  line.leg.mark('end');
  await until('the end is heard', () => line.marks.includes('end'));
  await line.call.say('can I speak to a human please');
  await line.call.sendDtmf('7');
  await until('the key arrives', () => line.digits.length > 0);
  expect(line.digits).toEqual(['7']);
  expect(resemblance(line.heard(), words('not-in-service'))).toBeGreaterThan(SAME);
  await line.call.hangup();
  const recording = await line.call.recording();
  const said = readWav(recording?.caller ?? '');
  const first = loudness(said).findIndex((rms) => rms > LOUD) * 320;
  expect(resemblance(line.said(), said.subarray(first, first + RATE))).toBeGreaterThan(SAME);
});

test('pause silences, resume goes on where it stopped', async () => {
  await using line = await talk();
  const speech = words('technical-problem');
  line.leg.play(speech);
  line.leg.mark('end');
  await speaking(line);
  line.leg.pause();
  // What was on its way when the pause was sent still arrives.
  await sleep(300);
  const before = loud(line.heard());
  await sleep(700);
  expect(loud(line.heard())).toBe(before);
  expect(line.marks).toEqual([]);
  line.leg.resume();
  await until('the end is heard', () => line.marks.includes('end'));
  await sleep(200);
  // The carrier's stream knows no silence but what the PBX sends: what was heard is the whole, unbroken.
  const audible = withoutPauses(line.heard());
  expect(resemblance(audible, withoutPauses(speech))).toBeGreaterThan(SAME);
});

/** Frames that can be heard, one behind the other. */
function withoutPauses(pcm: Int16Array): Int16Array {
  const steps = loudness(pcm);
  return Int16Array.from(pcm.subarray(0, steps.length * 320).filter((_, index) => (steps[Math.floor(index / 320)] ?? 0) > 50));
}

test('clear drops the rest of an answer and its marks; the next answer is heard at once', async () => {
  await using line = await talk();
  line.leg.play(words('technical-problem'));
  line.leg.mark('never');
  await speaking(line);
  line.leg.clear();
  line.leg.play(words('connecting-you'));
  line.leg.mark('next');
  await until('the next answer ends', () => line.marks.includes('next'));
  await sleep(200);
  expect(line.marks).toEqual(['next']);
  expect(resemblance(line.heard(), words('connecting-you'))).toBeGreaterThan(SAME);
  const most = loud(words('connecting-you')) + loud(words('technical-problem')) / 2;
  expect(loud(line.heard())).toBeLessThan(most);
});

test('clear ends a pause: what is played next is heard', async () => {
  await using line = await talk();
  line.leg.play(words('technical-problem'));
  await speaking(line);
  line.leg.pause();
  line.leg.clear();
  line.leg.play(words('connecting-you'));
  line.leg.mark('next');
  await until('the next answer ends', () => line.marks.includes('next'));
  expect(line.marks).toEqual(['next']);
});

test('marks come in order, each when the audio before it was heard', async () => {
  await using line = await talk();
  const heardAt: Record<string, number> = {};
  line.leg.play(words('connecting-you'));
  line.leg.mark('first');
  line.leg.play(words('call-again'));
  line.leg.mark('second');
  await until('the first', () => line.marks.includes('first'));
  await sleep(200);
  heardAt['first'] = loud(line.heard());
  expect(line.marks).toEqual(['first']);
  await until('the second', () => line.marks.includes('second'));
  expect(line.marks).toEqual(['first', 'second']);
  expect(heardAt['first']).toBeGreaterThan(loud(words('connecting-you')) * 0.8);
});

test('an answer longer than the PBX can queue is heard whole', async () => {
  await using line = await talk();
  const speech = words('all-lines-busy');
  // 24 s: the PBX drops what is beyond 20 s.
  const times = Math.ceil((24 * RATE) / speech.length);
  const long = new Int16Array(times * speech.length);
  for (let time = 0; time < times; time += 1) long.set(speech, time * speech.length);
  line.leg.play(long);
  line.leg.mark('end');
  await until('the end is heard', () => line.marks.includes('end'), 40_000);
  await sleep(200);
  expect(resemblance(line.heard(), long)).toBeGreaterThan(SAME);
}, 60_000);

test('a caller who hangs up leaves the leg open until it is closed; closing it leaves nothing', async () => {
  const line = await talk();
  await line.call.hangup();
  await until('the caller is gone', async () => (await ari.snapshot()).channels.length === 1);
  expect(line.closed).toEqual([]);
  await line.leg.close();
  await line.leg.close();
  expect(line.closed).toEqual(['closed']);
  line.leg.play(words('connecting-you'));
  line.leg.mark('late');
  line.leg.pause();
  line.leg.clear();
  await line[Symbol.asyncDispose]();
});

test('the leg says so when the PBX drops it; the caller stays', async () => {
  await using line = await talk();
  await ari.hangup(line.mediaChannelId);
  await until('the leg is closed', () => line.closed.length > 0);
  expect(line.closed).toHaveLength(1);
  expect((await ari.snapshot()).channels).toMatchObject([{ id: line.channelId, state: 'Up', inApp: true }]);
});

test('a carrier that sends nothing does not stop time: silence arrives', async () => {
  const channelId = newMediaChannelId({ callId: 'silent', epoch: 1 });
  const { mediaUrl } = await ari.createExternalMedia({ channelId, format: 'slin' });
  const { onHeard, heard } = ear();
  const events = { onAudio: onHeard, onMark: () => undefined, onDtmf: () => undefined, onClosed: () => undefined };
  const leg = await connectAsteriskWebsocketLeg({ url: mediaUrl, logger: silentLogger, events });
  expect(leg.sampleRate).toBe(8_000);
  await until('half a second of silence arrived', () => heard().length >= 4_000);
  expect(heard().every((sample) => sample === 0)).toBe(true);
  await leg.close();
});

test('a listener that throws ends its own call and no other', async () => {
  await using line = await talk();
  const channelId = newMediaChannelId({ callId: 'faulty', epoch: 1 });
  const { mediaUrl } = await ari.createExternalMedia({ channelId, format: 'slin16' });
  const closed = Promise.withResolvers<string>();
  await connectAsteriskWebsocketLeg({
    url: mediaUrl,
    logger: silentLogger,
    events: {
      onAudio: () => {
        throw new Error('a fault');
      },
      onMark: () => undefined,
      onDtmf: () => undefined,
      onClosed: closed.resolve,
    },
  });
  expect(await closed.promise).toBe('internal error');
  line.leg.mark('alive');
  await until('the other call goes on', () => line.marks.includes('alive'));
  expect(() => line.leg.mark('x'.repeat(80))).toThrow(expect.objectContaining({ code: 'limit_exceeded' }));
});

test('connectAsteriskWebsocketLeg: a socket that the PBX does not know is an error worth a retry', async () => {
  const url = `${running.pbx.ariUrl.replace('http', 'ws')}/media/no-such-connection`;
  const events = { onAudio: () => undefined, onMark: () => undefined, onDtmf: () => undefined, onClosed: () => undefined };
  await expect(connectAsteriskWebsocketLeg({ url, logger: silentLogger, events })).rejects.toMatchObject({
    code: 'ari_failed',
    retryable: true,
  });
});

test('a PBX that hangs for a moment keeps its legs, one that goes on hanging loses them', async () => {
  await using line = await talk();
  const freeze = async (forMs: number): Promise<void> => {
    process.kill(running.pbx.pid, 'SIGSTOP');
    await sleep(forMs);
    process.kill(running.pbx.pid, 'SIGCONT');
  };
  await freeze(600);
  await sleep(1_500);
  expect(line.closed).toEqual([]);
  await freeze(3_000);
  expect(line.closed).toEqual(['the PBX does not answer']);
});

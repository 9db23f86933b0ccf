import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeG711, encodeG711, muLaw } from '../../../src/media/audio/g711.ts';
import type { MediaLeg } from '../../../src/media/legs/leg.ts';
import { acceptTwilioStream, type TwilioStream } from '../../../src/media/legs/twilio.ts';
import { createLogger } from '../../../src/telemetry.ts';
import { FakeTwilioStream, type FakeStreamOptions } from '../../support/fake-twilio.ts';

const logger = createLogger({ process: 'media', level: 'silent' });
const RATE = 8_000;

interface Line extends AsyncDisposable {
  readonly leg: MediaLeg;
  readonly caller: FakeTwilioStream;
  readonly stream: TwilioStream;
  readonly said: number[];
  readonly frameSizes: Set<number>;
  readonly marks: string[];
  readonly digits: string[];
  readonly closed: string[];
}

async function listening(overdueMs?: number) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  const accepted = new Promise<TwilioStream>((resolve, reject) =>
    server.once('connection', (socket: WebSocket) => {
      const options = { logger, startTimeoutMs: 300, ...(overdueMs === undefined ? {} : { overdueMs }) };
      acceptTwilioStream(socket, options).then(resolve, reject);
    }),
  );
  accepted.catch(() => undefined);
  const close = async () => {
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `ws://127.0.0.1:${(server.address() as { port: number }).port}`, accepted, [Symbol.asyncDispose]: close };
}

async function talk(options: Partial<FakeStreamOptions> & { overdueMs?: number } = {}): Promise<Line> {
  const { url, accepted, ...server } = await listening(options.overdueMs);
  const caller = await FakeTwilioStream.dial(url, { authToken: 'x', callSid: 'CA1', parameters: { call_record_id: 'r1' }, ...options });
  const stream = await accepted;
  const seen = {
    said: [] as number[],
    frameSizes: new Set<number>(),
    marks: [] as string[],
    digits: [] as string[],
    closed: [] as string[],
  };
  const leg = stream.leg({
    onAudio: (pcm) => {
      seen.said.push(...pcm);
      seen.frameSizes.add(pcm.length);
    },
    onMark: (id) => seen.marks.push(id),
    onDtmf: (digit) => seen.digits.push(digit),
    onClosed: (reason) => seen.closed.push(reason),
  });
  const dispose = async () => {
    await caller[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  return { leg, caller, stream, ...seen, [Symbol.asyncDispose]: dispose };
}

/** A staircase: its level tells the position, to 10 ms. */
function staircase(ms: number, from = 0): Int16Array {
  return Int16Array.from({ length: (ms * RATE) / 1_000 }, (_, i) => (from / 10 + Math.floor(i / 80) + 1) * 64);
}
/** The steps in what was heard, in order, silence left out. */
function steps(pcm: Int16Array): number[] {
  const all = [...pcm].filter((sample) => sample > 30).map((sample) => Math.round(sample / 64));
  return all.filter((step, i) => step !== all[i - 1]);
}
/** What μ-law leaves of it. */
function onThePhone(pcm: Int16Array): Int16Array {
  const codes = new Uint8Array(pcm.length);
  encodeG711(muLaw, pcm, codes);
  const heard = new Int16Array(pcm.length);
  decodeG711(muLaw, codes, heard);
  return heard;
}
const lengthMs = (pcm: Int16Array): number => [...pcm].filter((sample) => sample > 30).length / 8;

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 8_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Not within 8 s: ${what}`);
    await sleep(10);
  }
}

describe('the leg over a Twilio media stream', () => {
  test('plays everything once and in order, and marks come back as they are heard', async () => {
    await using line = await talk();
    line.leg.play(staircase(300));
    line.leg.mark('a');
    line.leg.play(staircase(450, 300));
    line.leg.mark('b');
    await until('a', () => line.marks.includes('a'));
    expect(lengthMs(line.caller.heard())).toBeGreaterThanOrEqual(300);
    expect(line.marks).toEqual(['a']);
    await until('b', () => line.marks.includes('b'));
    await sleep(40);
    expect(lengthMs(line.caller.heard())).toBe(750);
    const heard = steps(line.caller.heard());
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
  });

  test('what is cleared is not heard, and its marks never come as heard', async () => {
    await using line = await talk();
    line.leg.play(staircase(900));
    line.leg.mark('cut');
    await until('it is heard', () => lengthMs(line.caller.heard()) > 100);
    line.leg.clear();
    await sleep(60);
    const after = lengthMs(line.caller.heard());
    await sleep(300);
    expect(lengthMs(line.caller.heard())).toBe(after);
    expect(after).toBeLessThan(800);
    line.leg.play(staircase(100));
    line.leg.mark('next');
    await until('the next is heard', () => line.marks.length > 0);
    expect(line.marks).toEqual(['next']);
  });

  test('a pause silences, and what follows goes on where it stopped', async () => {
    await using line = await talk();
    line.leg.play(staircase(1_200));
    line.leg.mark('end');
    await until('some of it is heard', () => lengthMs(line.caller.heard()) > 400);
    line.leg.pause();
    await sleep(80);
    const paused = steps(line.caller.heard());
    await sleep(200);
    expect(steps(line.caller.heard())).toEqual(paused);
    expect(line.marks).toEqual([]);
    line.leg.resume();
    await until('all of it is heard', () => line.marks.includes('end'));
    // Nothing is lost; of what was on its way when the pause came, little may be heard twice.
    const heard = lengthMs(line.caller.heard());
    expect(heard).toBeGreaterThanOrEqual(1_190);
    expect(heard).toBeLessThanOrEqual(1_300);
    expect(new Set(steps(line.caller.heard()))).toEqual(new Set(steps(onThePhone(staircase(1_200)))));
  });

  test('what is played while paused waits; a clear ends the pause', async () => {
    await using line = await talk();
    line.leg.pause();
    line.leg.play(staircase(200));
    line.leg.mark('dropped');
    await sleep(150);
    expect(lengthMs(line.caller.heard())).toBe(0);
    line.leg.clear();
    line.leg.play(staircase(100));
    line.leg.mark('heard');
    await until('it is heard', () => line.marks.length > 0);
    expect(line.marks).toEqual(['heard']);
    await sleep(40);
    expect(lengthMs(line.caller.heard())).toBe(100);
  });

  test('however much is played, Twilio never has more than a second of it', async () => {
    await using line = await talk();
    line.leg.play(new Int16Array(RATE * 60).fill(500));
    await sleep(400);
    expect(line.caller.mostBufferedMs).toBeGreaterThan(500);
    expect(line.caller.mostBufferedMs).toBeLessThanOrEqual(1_000);
    // The caller does not wait for the network in between.
    const heard = [...line.caller.heard()];
    expect(heard.slice(heard.findIndex((sample) => sample > 0)).every((sample) => sample > 0)).toBe(true);
    expect(() => line.leg.play(new Int16Array(RATE * 180))).toThrow(expect.objectContaining({ code: 'limit_exceeded' }) as Error);
  });

  test.each([80, 160, 240, 320, 333, 2_000])('hears the caller in messages of %d bytes', async (payloadBytes) => {
    await using line = await talk({ payloadBytes });
    line.caller.speak(new Int16Array(RATE / 2).fill(8_031));
    await until('it is heard', () => line.said.filter((sample) => Math.abs(sample - 8_031) < 300).length >= RATE / 2);
    expect(Math.max(...line.frameSizes)).toBeLessThanOrEqual(160);
  });

  test('a caller who sends nothing is heard as silence', async () => {
    await using line = await talk({ payloadBytes: 8_000 });
    await sleep(500);
    expect(line.said.length).toBeGreaterThan(RATE / 4);
  });

  test('keys are heard, and the end is told apart from a break', async () => {
    await using line = await talk();
    line.caller.press('#');
    await until('the key', () => line.digits.length > 0);
    expect(line.digits).toEqual(['#']);
    await line.caller.hangUp();
    await line.stream.closed;
    expect(line.stream.stopped).toBe(true);
    expect(line.closed).toEqual(['stopped by Twilio']);
    await using other = await talk();
    other.caller.breakOff();
    await other.stream.closed;
    expect(other.stream.stopped).toBe(false);
    expect(other.closed).toHaveLength(1);
  });

  test('nonsense on the line does not end a call; nothing but nonsense does', async () => {
    await using line = await talk();
    for (const text of ['{', '[]', '{"event":"later"}', JSON.stringify({ event: 'media', media: { track: 'inbound', payload: '%%%%' } })])
      line.caller.send(text);
    line.caller.press('1');
    await until('the key', () => line.digits.length > 0);
    for (let i = 0; i < 60; i++) line.caller.send('{');
    await line.stream.closed;
    expect(line.closed).toEqual(['too many faults']);
  });

  test('a socket that says nothing, or speaks of no call, is not a stream', async () => {
    await using silent = await listening();
    const socket = new WebSocket(silent.url);
    await expect(silent.accepted).rejects.toMatchObject({ code: 'invalid_request' });
    await until('it is closed', () => socket.readyState === WebSocket.CLOSED);
    await using garbled = await listening();
    new WebSocket(garbled.url).on('open', function (this: WebSocket) {
      this.send(JSON.stringify({ event: 'start', start: { streamSid: 'MZ1' } }));
    });
    await expect(garbled.accepted).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('an end that takes audio and never plays it is given up', async () => {
    await using server = await listening(100);
    const socket = new WebSocket(server.url);
    socket.on('open', () => {
      const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
      socket.send(JSON.stringify({ event: 'start', start: { streamSid: 'MZ1', accountSid: 'AC1', callSid: 'CA1', mediaFormat } }));
    });
    const stream = await server.accepted;
    const closed: string[] = [];
    const quiet = { onAudio: () => undefined, onMark: () => undefined, onDtmf: () => undefined };
    stream.leg({ ...quiet, onClosed: (reason) => closed.push(reason) }).play(new Int16Array(RATE));
    await until('it is given up', () => closed.length > 0);
    expect(closed).toEqual(['Twilio does not play']);
  });
});

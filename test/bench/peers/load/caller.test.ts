import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { call } from './caller.ts';
import { FrameClock } from './frame-clock.ts';
import type { TurnResult } from './script.ts';

const AUDIO = Buffer.alloc(800, 0xff).toString('base64');

interface Heard {
  readonly event: string;
  readonly sequenceNumber?: string;
  readonly media?: { readonly chunk: string; readonly payload: string };
  readonly mark?: { readonly name: string };
}

/** A bot on a real socket: told of every message, in order. */
async function bot(onMessage: (socket: WebSocket, message: Heard) => void) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const heard: Heard[] = [];
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Heard;
      heard.push(message);
      onMessage(socket, message);
    });
  });
  const close = async (): Promise<void> => {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, heard, [Symbol.asyncDispose]: close };
}

function place(url: string) {
  const results: TurnResult[] = [];
  const onResult = (result: TurnResult): void => void results.push(result);
  const talk = { caller: 4, turns: 1, bargeIns: 0, speech: ['c3BlZWNo', 'bGFzdA=='], silence: () => 'c2lsZW5jZQ==' };
  return { ended: call({ ...talk, url, clock: new FrameClock(), onResult }), results };
}

const say = (socket: WebSocket, ...messages: object[]): void => messages.forEach((message) => socket.send(JSON.stringify(message)));

test('a caller speaks, hears the reply, and gives marks back: what was cleared at once, what is played after it', async () => {
  await using other = await bot((socket, { media, mark }) => {
    if (media?.payload === 'bGFzdA==') {
      say(socket, { event: 'media', media: { payload: AUDIO } }, { event: 'mark', mark: { name: 'played' } });
      say(socket, ...Array.from({ length: 60 }, () => ({ event: 'media', media: { payload: AUDIO } })), {
        event: 'mark',
        mark: { name: 'cleared' },
      });
    }
    if (mark?.name === 'played') say(socket, { event: 'clear' });
  });
  const { ended, results } = place(other.url);
  // Six seconds of audio were sent and then cleared: nobody waits for their end.
  await expect(ended).resolves.toEqual({ lost: null, lastedMs: expect.any(Number) });
  expect(results).toMatchObject([{ caller: 4, turn: 0, kind: 'turn', failure: null, audioMs: 6_100, underruns: 0 }]);
  const { heard } = other;
  expect(heard.flatMap(({ mark }) => mark?.name ?? [])).toEqual(['played', 'cleared']);
  expect(heard.slice(0, 3).map(({ event }) => event)).toEqual(['connected', 'start', 'media']);
  const numbers = heard.flatMap(({ sequenceNumber }) => (sequenceNumber === undefined ? [] : Number(sequenceNumber)));
  expect(numbers).toEqual(numbers.map((_, n) => n + 1));
  const chunks = heard.flatMap(({ media }) => (media === undefined ? [] : Number(media.chunk)));
  expect(chunks).toEqual(chunks.map((_, n) => n + 1));
});

test('a call whose bot hangs up is lost, and its turn has failed', async () => {
  await using other = await bot((socket, { media }) => media?.payload === 'bGFzdA==' && socket.close(1011));
  const { ended, results } = place(other.url);
  await expect(ended).resolves.toMatchObject({ lost: 'closed (1011)' });
  expect(results).toMatchObject([{ latencyMs: null, failure: 'closed (1011)' }]);
});

test('a call that nobody answers fails all of its turns', async () => {
  const gone = await bot(() => undefined);
  await gone[Symbol.asyncDispose]();
  const { ended, results } = place(gone.url);
  await expect(ended).resolves.toMatchObject({ lost: expect.stringMatching(/^connect: .*ECONNREFUSED/), lastedMs: 0 });
  expect(results).toMatchObject([{ turn: 0, latencyMs: null, failure: expect.stringMatching(/^connect/) }]);
});

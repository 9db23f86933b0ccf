import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import twilio from 'twilio';
import { createLogger } from '../../src/telemetry.ts';
import { startTwilioStreamServer } from '../../src/telephony/twilio/stream-server.ts';
import { TwilioStreams } from '../../src/telephony/twilio/streams.ts';
import { ACCOUNT_SID, FakeTwilioStream } from '../support/fake-twilio.ts';

const AUTH_TOKEN = 'twilio-auth-token-for-tests';
/** Behind a proxy that speaks TLS and takes the first part of the path away. */
const PUBLIC_URL = 'wss://media-1.example.com/streams';
const CALL = '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0001';
const OTHER = '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0002';

async function listening() {
  const seen = { entered: [] as string[], left: [] as string[] };
  const streams = new TwilioStreams({
    onEntered: (channelId, callId) => seen.entered.push(`${channelId} ${callId}`),
    onLeft: (channelId) => seen.left.push(channelId),
  });
  const logger = createLogger({ process: 'media', level: 'silent' });
  const options = { host: '127.0.0.1', port: 0, publicUrl: PUBLIC_URL, authToken: AUTH_TOKEN, accountSid: ACCOUNT_SID, streams, logger };
  const server = await startTwilioStreamServer(options);
  const dispose = async () => {
    await streams[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  const dial = (callId: string, change: { signedUrl?: string; parameters?: Record<string, string> } = {}) =>
    FakeTwilioStream.dial(`ws://127.0.0.1:${server.port}/${callId}`, {
      authToken: AUTH_TOKEN,
      callSid: 'CA1',
      signedUrl: `${PUBLIC_URL}/${callId}`,
      parameters: { call_record_id: callId },
      ...change,
    });
  return { server, streams, dial, ...seen, [Symbol.asyncDispose]: dispose };
}

const quiet = { onAudio: () => undefined, onMark: () => undefined, onDtmf: () => undefined, onClosed: () => undefined };

test('a stream that Twilio has signed is its call’s', async () => {
  await using scene = await listening();
  const taking = scene.streams.take('twilio:CA1', 5_000);
  await using _caller = await scene.dial(CALL);
  expect((await taking)?.start.callSid).toBe('CA1');
});

test('a caller whom nobody waits for is announced, kept, and missed when they leave', async () => {
  await using scene = await listening();
  await using caller = await scene.dial(CALL);
  while (scene.entered.length === 0) await sleep(10);
  expect(scene.entered).toEqual([`twilio:CA1 ${CALL}`]);
  await caller.hangUp();
  while (scene.left.length === 0) await sleep(10);
  expect(scene.streams.stopped('twilio:CA1')).toBe(true);
});

test('a stream that breaks is followed by another one, which nobody else is told of', async () => {
  await using scene = await listening();
  await using first = await scene.dial(CALL);
  const stream = await scene.streams.take('twilio:CA1', 5_000);
  stream?.leg(quiet);
  first.breakOff();
  await stream?.closed;
  expect(scene.streams.stopped('twilio:CA1')).toBe(false);
  const announced = scene.entered.length;
  await using _second = await scene.dial(CALL);
  expect(await scene.streams.take('twilio:CA1', 5_000)).not.toBeNull();
  expect(scene.entered).toHaveLength(announced);
  expect(scene.left).toEqual([]);
});

test('who waits in vain is told so', async () => {
  await using scene = await listening();
  expect(await scene.streams.take('twilio:CA1', 20)).toBeNull();
  // Who asks anew takes the place of who asked before, and has time of their own.
  const before = scene.streams.take('twilio:CA1', 150);
  const after = scene.streams.take('twilio:CA1', 5_000);
  expect(await before).toBeNull();
  await sleep(200);
  await using _caller = await scene.dial(CALL);
  expect(await after).not.toBeNull();
});

test('what Twilio has not signed, or not for this call, is refused', async () => {
  await using scene = await listening();
  await expect(scene.dial(CALL, { signedUrl: `${PUBLIC_URL}/${OTHER}` })).rejects.toThrow('403');
  await expect(scene.dial('not-a-call')).rejects.toThrow('404');
  const bare = new WebSocket(`ws://127.0.0.1:${scene.server.port}/${CALL}`);
  await expect(new Promise((_resolve, reject) => bare.once('error', reject))).rejects.toThrow('403');
  const signature = twilio.getExpectedTwilioSignature('another-token-altogether', `${PUBLIC_URL}/${CALL}`, {});
  const forged = new WebSocket(`ws://127.0.0.1:${scene.server.port}/${CALL}`, { headers: { 'x-twilio-signature': signature } });
  await expect(new Promise((_resolve, reject) => forged.once('error', reject))).rejects.toThrow('403');
});

test('a stream that says it is another call’s is closed', async () => {
  await using scene = await listening();
  await using caller = await scene.dial(CALL, { parameters: { call_record_id: OTHER } });
  await caller.closed;
  expect(scene.entered).toEqual([]);
});

/** Calls of Twilio, whole: real API, worker and media nodes; Twilio, speech and language are played. */
import { setTimeout as sleep } from 'node:timers/promises';
import { callRecordIdFor } from '../../src/services/call-identity.ts';
import { twilioChannelId } from '../../src/contracts/twilio.ts';
import type { Providers } from '../../src/providers/ports.ts';
import { CallStage, type StageApi } from '../support/call-stage.ts';
import { ACCOUNT_SID } from '../support/fake-twilio.ts';
import { FakeTwilioCall, startFakeTwilioRest, type FakeTwilioRest } from '../support/fake-twilio-call.ts';
import { startSpeaker, type Speaker } from '../support/speaker.ts';
import { AUTH_TOKEN, startTwilioNode, type TwilioNode } from '../support/twilio-node.ts';

/** Not where the API listens: Twilio is told, and signs, what is public. */
const PUBLIC_URL = 'https://calls.example.com';

let stage: CallStage;
let api: StageApi;
let rest: FakeTwilioRest;
let speaker: Speaker;
beforeAll(async () => {
  stage = await CallStage.start({ env: { TRANSFER_ALLOWED_HOSTS: 'pbx.example.com' } });
  await stage.worker();
  api = await stage.api({ TWILIO_AUTH_TOKEN: AUTH_TOKEN, TWILIO_ACCOUNT_SID: ACCOUNT_SID, TWILIO_PUBLIC_URL: PUBLIC_URL });
  rest = await startFakeTwilioRest(AUTH_TOKEN);
  speaker = await startSpeaker();
});
afterAll(async () => {
  await speaker[Symbol.asyncDispose]();
  await rest[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const RATE = 8_000;
/** 60 ms a character: a voice that can be told from silence, and measured. */
const toneFor = (text: string): Int16Array => {
  const samples = Math.round(text.length * 0.06 * RATE);
  return Int16Array.from({ length: samples }, (_, i) => Math.round(9_000 * Math.sin((2 * Math.PI * 440 * i) / RATE)));
};
const providers: Providers = {
  stt: { transcribe: async () => 'what are your opening hours' },
  llm: {
    stream: async function* () {
      yield { kind: 'text', text: 'We are open from nine to five.' };
    },
  },
  tts: {
    sampleRate: RATE,
    synthesize: async function* ({ text }) {
      yield toneFor(text);
    },
  },
};

function mediaNode(id: string): Promise<TwilioNode> {
  return startTwilioNode({ id, redisUrl: stage.redisUrl, providers, publicUrl: PUBLIC_URL, restUrl: rest.url });
}

function dial(to: string = stage.demo.did): FakeTwilioCall {
  const call = new FakeTwilioCall({ apiUrl: api.url, publicUrl: PUBLIC_URL, authToken: AUTH_TOKEN }, to);
  rest.calls.set(call.callSid, call);
  return call;
}

const requestOf = ({ callSid }: FakeTwilioCall) => ({ ...stage.request(), callRecordId: callRecordIdFor(twilioChannelId(callSid)) });

/** ms of voice; a sine crosses zero, so by frames. */
function voiceMs(pcm: Int16Array): number {
  let ms = 0;
  for (let at = 0; at + 160 <= pcm.length; at += 160) if (pcm.subarray(at, at + 160).some((sample) => Math.abs(sample) > 3_000)) ms += 20;
  return ms;
}

async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`Not within ${withinMs} ms: ${what}; Twilio did: ${[...rest.calls.values()].at(-1)?.did.join(', ')}`);
    await sleep(20);
  }
}

const owner = async (call: FakeTwilioCall): Promise<unknown> => (await stage.call(requestOf(call)))?.['media_node'];

test('a caller over Twilio is greeted, understood and answered, and leaves a complete record', async () => {
  await using _node = await mediaNode('media-a');
  await using call = dial();
  await until('the greeting begins', () => voiceMs(call.heard()) > 500);
  await until('the greeting is over', async () => (await stage.turns(requestOf(call))).length === 1);
  const greeted = voiceMs(call.heard());
  call.stream?.speak(await speaker.say('what are your opening hours', 8_000));
  await until('the answer', () => voiceMs(call.heard()) > greeted + 1_500);
  await until('the answer is on record', async () => (await stage.turns(requestOf(call))).length >= 3);
  await call.hangUp();
  expect(await stage.outcome(requestOf(call))).toMatchObject({ disposition: 'caller_hangup', reason: 'hangup' });
  expect((await stage.turns(requestOf(call))).map(({ speaker: who, text }) => [who, text]).slice(1)).toEqual([
    ['caller', 'what are your opening hours'],
    ['agent', 'We are open from nine to five.'],
  ]);
}, 120_000);

test('when the media node dies in the middle of a sentence, another one goes on with it', async () => {
  const first = await mediaNode('media-a');
  await using second = await mediaNode('media-b');
  await using call = dial();
  await until('the greeting begins', () => voiceMs(call.heard()) > 800);
  // Without the REST API: the redirect behind the stream is enough.
  rest.calls.delete(call.callSid);
  await first.die();
  await until('the other node is reached', () => call.streams.length === 2);
  await until('the sentence goes on', () => voiceMs(call.stream?.heard() ?? new Int16Array(0)) > 500);
  await until('it is on record', async () => (await owner(call)) === 'media-b');
  expect(call.did).toEqual([
    expect.stringMatching(`^Stream ${first.streamUrl}/`),
    'Redirect ?after=1&tries=0',
    expect.stringMatching(`^Stream ${second.streamUrl}/`),
  ]);
  await call.hangUp();
  expect(await stage.outcome(requestOf(call))).toMatchObject({ reason: 'hangup' });
  await first[Symbol.asyncDispose]();
}, 120_000);

test('a node that leaves gives its callers to another one', async () => {
  await using first = await mediaNode('media-a');
  await using _second = await mediaNode('media-b');
  await using call = dial();
  await until('the greeting is over', async () => (await stage.turns(requestOf(call))).length === 1);
  await first.leave();
  await until('the other node is reached', () => call.streams.length === 2);
  expect(call.did[1]).toMatch(/^REST \?after=\d+&tries=0$/);
  await until('it listens', async () => (await owner(call)) === 'media-b');
  call.stream?.speak(await speaker.say('what are your opening hours', 8_000));
  await until('the answer comes from there', async () =>
    (await stage.turns(requestOf(call))).some(({ text }) => text.startsWith('We are open')),
  );
  expect(voiceMs(call.stream?.heard() ?? new Int16Array(0))).toBeGreaterThan(1_000);
  await call.hangUp();
  expect(await stage.outcome(requestOf(call))).toMatchObject({ disposition: 'caller_hangup', reason: 'hangup' });
}, 120_000);

test('a stream that breaks comes back to the node that has the call', async () => {
  await using node = await mediaNode('media-a');
  await using call = dial();
  await until('the greeting begins', () => voiceMs(call.heard()) > 800);
  call.stream?.breakOff();
  await until('the stream is back', () => call.streams.length === 2);
  await until('the sentence goes on', () => voiceMs(call.stream?.heard() ?? new Int16Array(0)) > 300);
  expect(call.did.filter((each) => each.startsWith('Stream'))).toEqual(Array(2).fill(expect.stringMatching(`^Stream ${node.streamUrl}/`)));
  await call.hangUp();
  await stage.outcome(requestOf(call));
}, 120_000);

test('an operator ends the call: the caller hears the goodbye, and Twilio hangs up', async () => {
  await using _node = await mediaNode('media-a');
  await using call = dial();
  await until('the greeting is over', async () => (await stage.turns(requestOf(call))).length === 1);
  const greeted = voiceMs(call.heard());
  // There is no PBX to send them on; they stay.
  const transfer = stage.handle(requestOf(call)).executeUpdate('transfer', { args: [{ to: 'sip:reception@pbx.example.com' }] });
  await expect(transfer).rejects.toMatchObject({ cause: { type: 'transfer_forbidden' } });
  expect(call.did).toHaveLength(1);
  await stage.handle(requestOf(call)).executeUpdate('hangup', { args: [{ reason: 'operator' }] });
  await call.over;
  expect(voiceMs(call.heard())).toBeGreaterThan(greeted + 500);
  expect(call.did.slice(1)).toEqual(['Redirect ?after=1&tries=0', 'Hangup']);
  expect(await stage.outcome(requestOf(call))).toMatchObject({ disposition: 'operator_hangup' });
}, 120_000);

test('nobody’s number is rejected, and a full house is busy', async () => {
  await using unknown = dial('+12025559999');
  await unknown.over;
  expect(unknown.did).toEqual(['Reject rejected']);
  await using full = dial();
  await full.over;
  // No media node takes streams now.
  expect(full.did).toEqual(['Reject busy']);
}, 30_000);

import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallEnd } from '../../setup/demo/carrier-call.ts';
import { connectAri, type Ari } from '../../src/telephony/asterisk/ari.ts';
import {
  accept,
  ARI_USER,
  CALL_RECORD_ID,
  reply,
  silentLogger,
  startTestCarrier,
  startTestPbx,
  startTestWebhook,
  until,
  WEBHOOK_SECRET,
  type Answer,
  type TestCarrier,
  type TestPbx,
  type TestWebhook,
} from '../support/pbx.ts';
import { ear, readWav, resemblance } from '../support/sound.ts';

const APP = 'holdfast-test';
const DID = '+493012345678';
const CALLER = '+4915112345678';
/** The same words through G.722 and a jitter buffer; two different prompts stay below 0.7. */
const SAME = 0.9;

let webhook: TestWebhook;
let running: TestPbx;
let network: TestCarrier;
let ari: Ari | undefined;

beforeAll(async () => {
  webhook = await startTestWebhook();
  running = await startTestPbx(webhook.url);
  network = await startTestCarrier(running.options);
});

afterEach(async () => {
  await ari?.close();
  ari = undefined;
  webhook.received.length = 0;
  await until('the PBX holds no channel', async () =>
    (await running.pbx.console('core show channels count')).includes('0 active channels'),
  );
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
  await webhook[Symbol.asyncDispose]();
});

interface Heard {
  readonly answered: boolean;
  readonly pcm: Int16Array;
  readonly end: CallEnd;
}

/** Dials and listens until the PBX hangs up. */
async function listen(to = DID, from = CALLER): Promise<Heard> {
  const { onHeard, heard } = ear();
  const call = await network.carrier.placeCall({ to, from, onHeard });
  const end = await call.ended;
  return { answered: call.answeredAtMs !== null, pcm: heard(), end };
}

const prompt = (name: string): Int16Array => readWav(join(running.pbx.dir, 'prompts', `${name}.wav16`));

function expectWords({ pcm, answered, end }: Heard, ...names: string[]): void {
  expect(answered).toBe(true);
  for (const name of names) expect([name, resemblance(pcm, prompt(name)) > SAME]).toEqual([name, true]);
  expect(end).toMatchObject({ by: 'callee', cause: 16 });
}

test('an accepted call enters the application with the id of its record, and its webhook says who calls whom', async () => {
  webhook.answer = accept(APP);
  const entered = Promise.withResolvers<{ channelId: string; args: readonly string[] }>();
  ari = await connectAri({
    url: running.pbx.ariUrl,
    ...ARI_USER,
    app: APP,
    logger: silentLogger,
    onChannelEntered: entered.resolve,
    onChannelLeft: () => undefined,
  });
  const { onHeard } = ear();
  const placing = network.carrier.placeCall({ to: DID, from: CALLER, onHeard });
  const { channelId, args } = await entered.promise;
  expect(args).toEqual([CALL_RECORD_ID]);
  expect(webhook.received).toHaveLength(1);
  const { request, authorization } = webhook.received[0] ?? {};
  expect(authorization).toBe(`Bearer ${WEBHOOK_SECRET}`);
  expect(request).toMatchObject({ caller_number: CALLER, called_number: DID, call_id: channelId, channel_id: channelId });
  expect(Math.abs(Number(request?.timestamp) - Date.now() / 1_000)).toBeLessThan(60);
  await ari.answer(channelId);
  const call = await placing;
  await ari.hangup(channelId);
  expect(await call.ended).toMatchObject({ by: 'callee', cause: 16 });
});

test('a number that is not known is refused as unallocated, without being answered', async () => {
  webhook.answer = reply({ status: 'unknown_did' });
  const { answered, end } = await listen();
  expect(answered).toBe(false);
  expect(end).toMatchObject({ by: 'callee', cause: 1 });
});

test('a call over its tenant’s limit gets the busy tone, without being answered', async () => {
  webhook.answer = reply({ status: 'over_limit' });
  const { answered, end } = await listen();
  expect(answered).toBe(false);
  expect(end).toMatchObject({ by: 'callee', cause: 17 });
});

describe('when the media node has died since the answer', () => {
  async function serve(app: string): Promise<{ readonly args: readonly string[] }> {
    const entered = Promise.withResolvers<{ channelId: string; args: readonly string[] }>();
    ari = await connectAri({
      url: running.pbx.ariUrl,
      ...ARI_USER,
      app,
      logger: silentLogger,
      onChannelEntered: entered.resolve,
      onChannelLeft: () => undefined,
    });
    const { channelId, args } = await entered.promise;
    await ari.hangup(channelId);
    return { args };
  }

  test('its standby gets the caller', async () => {
    webhook.answer = accept('no-such-app', APP);
    const served = serve(APP);
    const { end } = await listen();
    expect((await served).args).toEqual([CALL_RECORD_ID]);
    expect(end).toMatchObject({ by: 'callee' });
  });

  test('the caller waits until it is back', async () => {
    const asked = Promise.withResolvers<void>();
    webhook.answer = async (response, request) => {
      await accept(APP)(response, request);
      asked.resolve();
    };
    const call = listen();
    await asked.promise;
    await sleep(1_500);
    expect((await serve(APP)).args).toEqual([CALL_RECORD_ID]);
    expect((await call).end).toMatchObject({ by: 'callee' });
  });
});

/** What the webhook does with a call, and what its caller hears. All are dialled at once: prompts take their time. */
const apology = ['technical-problem', 'call-again'];
const endings: [string, Answer, { words: readonly string[]; asked: number }][] = [
  ['refuses it as inactive_did', reply({ status: 'inactive_did' }), { words: ['not-in-service'], asked: 1 }],
  ['refuses it as tenant_suspended', reply({ status: 'tenant_suspended' }), { words: ['not-in-service'], asked: 1 }],
  ['refuses it as no_profile', reply({ status: 'no_profile' }), { words: ['not-in-service'], asked: 1 }],
  ['refuses it as over_share', reply({ status: 'over_share' }), { words: ['all-lines-busy'], asked: 1 }],
  ['refuses it as no_capacity', reply({ status: 'no_capacity' }), { words: ['all-lines-busy'], asked: 1 }],
  ['answers after 5 s', (response, request) => sleep(5_000).then(() => accept(APP)(response, request)), { words: apology, asked: 2 }],
  ['answers 500, whatever the body says', reply({ status: 'no_capacity' }, 500), { words: apology, asked: 2 }],
  ['answers 401', (response) => void response.writeHead(401).end('{"status":401,"title":"Unauthorized"}'), { words: apology, asked: 2 }],
  ['answers what is not JSON', (response) => void response.end('<html>oops ${SHELL(id)}, "quoted"'), { words: apology, asked: 2 }],
  ['answers nothing', (response) => void response.end(), { words: apology, asked: 2 }],
  ['answers a status nobody knows', (response) => void response.end('{"status":"maybe"}'), { words: apology, asked: 2 }],
  ['answers JSON of another shape', (response) => void response.end('[1,2,{"status":"accepted"}]'), { words: apology, asked: 2 }],
  ['closes the connection', (response) => void response.destroy(), { words: apology, asked: 2 }],
  ['names an application that nobody serves', accept('no-such-app'), { words: apology, asked: 1 }],
  ['names two applications that nobody serves', accept('no-such-app', 'no-such-standby'), { words: apology, asked: 1 }],
  ['accepts without a record or an application', reply({ status: 'accepted' }), { words: apology, asked: 1 }],
  ['fails once, then refuses', failOnce(reply({ status: 'no_capacity' })), { words: ['all-lines-busy'], asked: 2 }],
];

function failOnce(then: Answer): Answer {
  let failed = false;
  return (response, request) => {
    if (failed) return then(response, request);
    failed = true;
    return void response.writeHead(503).end();
  };
}

describe('when the webhook', () => {
  const numberOf = (index: number): string => `+49301234${100 + index}`;
  let calls: Heard[] = [];
  let requests: TestWebhook['received'] = [];

  beforeAll(async () => {
    webhook.answer = (response, request) => endings.find((_, index) => numberOf(index) === request.called_number)?.[1](response, request);
    calls = await Promise.all(endings.map((_, index) => listen(numberOf(index))));
    requests = [...webhook.received];
  }, 60_000);

  test.each(endings.map(([name, , { words, asked }], index) => [name, words, index, asked] as const))(
    '%s, the caller hears %j',
    (_, words, index, asked) => {
      expectWords(calls[index] as Heard, ...words);
      const own = requests.filter(({ request }) => request.called_number === numberOf(index));
      expect(own).toHaveLength(asked);
      expect(new Set(own.map(({ request }) => request.call_id)).size).toBe(1);
    },
  );
});

test('a caller who hangs up while the webhook is asked leaves nothing behind', async () => {
  const asked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  webhook.answer = async (response, request) => {
    asked.resolve();
    // The acceptance must come after the hang-up, or the caller rightly enters.
    await gone.promise;
    await sleep(300);
    await accept(APP)(response, request);
  };
  const entered: string[] = [];
  ari = await connectAri({
    url: running.pbx.ariUrl,
    ...ARI_USER,
    app: APP,
    logger: silentLogger,
    onChannelEntered: ({ channelId }) => void entered.push(channelId),
    onChannelLeft: () => undefined,
  });
  const abandoned = network.carrier.placeCall({ to: DID, from: CALLER, answerTimeoutMs: 1_000 });
  await asked.promise;
  expect((await abandoned).answeredAtMs).toBeNull();
  gone.resolve();
  await until('the PBX holds no channel', async () =>
    (await running.pbx.console('core show channels count')).includes('0 active channels'),
  );
  expect(entered).toEqual([]);
});

test.each([
  ['a withheld number', 'anonymous', DID, { caller_number: '', called_number: DID }],
  ['a national number', '030123', '03012345678', { caller_number: '030123', called_number: '03012345678' }],
  ['a called number with JSON and dialplan in it', CALLER, '49301%22%7D%24%7BEPOCH%7D', { caller_number: CALLER, called_number: '49301' }],
])('the webhook gets %s filtered, as valid JSON', async (_, from, to, expected) => {
  webhook.answer = reply({ status: 'unknown_did' });
  await listen(to, from);
  expect(webhook.received[0]?.request).toMatchObject(expected);
});

test('an address that is not the trunk reaches no dialplan', async () => {
  await using strangers = await startTestPbx(webhook.url, { trunk: { host: '192.0.2.1', port: 5060 } });
  await using stranger = await startTestCarrier(strangers.options);
  const call = await stranger.carrier.placeCall({ to: DID, from: CALLER });
  expect(call.answeredAtMs).toBeNull();
  expect(webhook.received).toHaveLength(0);
});

test('a fallback number is dialled through the trunk after the apology', async () => {
  await using trunk = await listenForInvite();
  await using down = await startTestPbx('http://127.0.0.1:1/', {
    fallbackNumber: '+4930999',
    trunk: { host: '127.0.0.1', port: trunk.port },
  });
  await using caller = await startTestCarrier(down.options);
  const { onHeard, heard } = ear();
  const call = await caller.carrier.placeCall({ to: DID, from: CALLER, onHeard });
  expect(await trunk.invited).toBe(`INVITE sip:+4930999@127.0.0.1:${trunk.port} SIP/2.0`);
  await call.hangup();
  for (const name of ['technical-problem', 'connecting-you'])
    expect([name, resemblance(heard(), prompt(name)) > SAME]).toEqual([name, true]);
});

/** The far end of a trunk, as far as its first request. */
async function listenForInvite(): Promise<AsyncDisposable & { readonly port: number; readonly invited: Promise<string> }> {
  const socket = createSocket('udp4');
  const invited = new Promise<string>((resolve) =>
    socket.once('message', (message) => resolve(message.toString().split('\r\n', 1)[0] ?? '')),
  );
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, invited, [Symbol.asyncDispose]: async () => void socket.close() };
}

test('nothing in the log of the PBX tells who called', async () => {
  const log = await readFile(running.pbx.logFile, 'utf8');
  expect(log).not.toMatch(/4915112345678|12345678|\+49301234/);
  expect(log).not.toContain(WEBHOOK_SECRET);
});

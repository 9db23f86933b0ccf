import { request as httpRequest } from 'node:http';
import twilio from 'twilio';
import { callRecordIdFor } from '../../src/services/call-identity.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import type { AdmitRequest } from '../../src/contracts/call-workflow.ts';
import type { EndedStream, TwilioCourse } from '../../src/services/twilio-calls.ts';
import { apiServer, type ApiServer } from '../support/api-server.ts';
import { ACCOUNT_SID } from '../support/fake-twilio.ts';
import { verbsOf } from '../support/fake-twilio-call.ts';
import { tenantWorld, type TenantWorld } from '../support/tenant-world.ts';

const PUBLIC_URL = 'https://calls.example.com';
const PATH = '/webhooks/twilio/voice';
const AUTH_TOKEN = 'twilio-auth-token-for-tests';
const CALL_SID = `CA${'0'.repeat(32)}`;
const CALL_ID = callRecordIdFor(`twilio:${CALL_SID}`);

let world: TenantWorld;
let api: ApiServer;
let arrived: AdmitRequest[] = [];
let ended: EndedStream[] = [];
let course: TwilioCourse | HoldfastError = { kind: 'over' };
let onwards: TwilioCourse | null = null;
beforeAll(async () => {
  world = await tenantWorld();
  const calls = {
    arrive: async (request: AdmitRequest) => {
      arrived.push(request);
      if (course instanceof HoldfastError) throw course;
      return course;
    },
    goOn: async (stream: EndedStream) => {
      ended.push(stream);
      return onwards;
    },
  };
  const { vault } = world;
  api = await apiServer(world, {
    twilio: { calls, vault, authToken: AUTH_TOKEN, accountSid: ACCOUNT_SID, publicUrl: PUBLIC_URL, now: () => new Date() },
  });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});
beforeEach(() => {
  arrived = [];
  ended = [];
  onwards = null;
});

interface Ask {
  readonly query?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly signature?: string;
  readonly type?: string;
  readonly body?: string;
}

/** As Twilio does it, through a proxy that keeps the public name: not the name of this machine. */
async function ask({ query = '', fields = {}, signature, type, body }: Ask = {}): Promise<{ status: number; type: string; text: string }> {
  const form = { CallSid: CALL_SID, AccountSid: ACCOUNT_SID, From: '+12025550199', To: '+12025550143', CallStatus: 'ringing', ...fields };
  const headers = {
    host: 'calls.example.com',
    'content-type': type ?? 'application/x-www-form-urlencoded; charset=UTF-8',
    'x-twilio-signature': signature ?? twilio.getExpectedTwilioSignature(AUTH_TOKEN, `${PUBLIC_URL}${PATH}${query}`, form),
  };
  const sent = httpRequest(`${api.url}${PATH}${query}`, { method: 'POST', headers });
  sent.end(body ?? new URLSearchParams(form).toString());
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) =>
    sent.once('response', resolve).once('error', reject),
  );
  const text = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString('utf8');
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text };
}

test('an admitted call gets the stream of its node, and where to go on', async () => {
  course = { kind: 'stream', url: 'wss://media-1.example.com', epoch: 1 };
  const answer = await ask();
  expect(answer).toMatchObject({ status: 200, type: expect.stringMatching('^text/xml') as string });
  expect(answer.text).toBe(
    '<?xml version="1.0" encoding="UTF-8"?><Response>' +
      `<Connect><Stream url="wss://media-1.example.com/${CALL_ID}"><Parameter name="call_record_id" value="${CALL_ID}"/></Stream></Connect>` +
      `<Redirect method="POST">${PUBLIC_URL}${PATH}?after=1&amp;tries=0</Redirect></Response>`,
  );
  // Character for character what Twilio's own SDK writes.
  const same = new twilio.twiml.VoiceResponse();
  same
    .connect()
    .stream({ url: `wss://media-1.example.com/${CALL_ID}` })
    .parameter({ name: 'call_record_id', value: CALL_ID });
  same.redirect({ method: 'POST' }, `${PUBLIC_URL}${PATH}?after=1&tries=0`);
  expect(answer.text).toBe(same.toString());
  expect(arrived).toEqual([
    expect.objectContaining({ callRecordId: CALL_ID, channelId: `twilio:${CALL_SID}`, calledNumber: '+12025550143' }),
  ]);
  expect(world.vault.openInTransit(arrived[0]?.sealedCallerNumber ?? null, CALL_ID)).toBe('+12025550199');
});

test('when a stream has ended, the call is not admitted again but goes to who has it now', async () => {
  onwards = { kind: 'stream', url: 'wss://media-2.example.com', epoch: 2 };
  const answer = await ask({ query: '?after=1&tries=0' });
  expect(ended).toEqual([{ callId: CALL_ID, after: 1, tries: 0 }]);
  expect(arrived).toEqual([]);
  expect(verbsOf(answer.text)).toMatchObject([
    { verb: 'Stream', url: `wss://media-2.example.com/${CALL_ID}` },
    { verb: 'Redirect', url: `${PUBLIC_URL}${PATH}?after=2&tries=1` },
  ]);
});

test.each<[string, TwilioCourse | HoldfastError, unknown[]]>([
  ['over', { kind: 'over' }, [{ verb: 'Hangup' }]],
  ['its lines are taken', { kind: 'refused', status: 'over_limit', message: 'x' }, [{ verb: 'Reject', reason: 'busy' }]],
  ['the platform is full', { kind: 'refused', status: 'no_capacity', message: 'x' }, [{ verb: 'Reject', reason: 'busy' }]],
  ['nobody’s number', { kind: 'refused', status: 'unknown_did', message: 'x' }, [{ verb: 'Reject', reason: 'rejected' }]],
  [
    'suspended',
    { kind: 'refused', status: 'tenant_suspended', message: 'Closed & gone.' },
    [{ verb: 'Say', text: 'Closed & gone. Goodbye.' }, { verb: 'Hangup' }],
  ],
  ['nobody serves it', { kind: 'unserved' }, [{ verb: 'Say', text: expect.stringMatching('^We are sorry') }, { verb: 'Hangup' }]],
  [
    'nobody could be asked',
    new HoldfastError('admission_timeout', 'late', { retryable: true }),
    [{ verb: 'Say', text: expect.stringMatching('^We are sorry') }, { verb: 'Hangup' }],
  ],
])('what a caller hears: %s', async (_what, decided, verbs) => {
  course = decided;
  expect(verbsOf((await ask()).text)).toEqual(verbs);
});

test('a caller who withholds their number has none', async () => {
  course = { kind: 'over' };
  for (const From of ['+266696687', 'anonymous', '']) await ask({ fields: { From } });
  expect(arrived.map(({ sealedCallerNumber }) => sealedCallerNumber)).toEqual([null, null, null]);
});

test('what Twilio has not signed is not answered', async () => {
  const elsewhere = twilio.getExpectedTwilioSignature(AUTH_TOKEN, `${PUBLIC_URL}/other`, {});
  for (const signature of ['', 'x', elsewhere]) expect((await ask({ signature })).status).toBe(401);
  // A query that was put on afterwards.
  const signature = twilio.getExpectedTwilioSignature(AUTH_TOKEN, `${PUBLIC_URL}${PATH}`, {});
  expect((await ask({ query: '?after=1&tries=0', signature })).status).toBe(401);
  expect((await ask({ fields: { AccountSid: `AC${'1'.repeat(32)}` } })).status).toBe(401);
  expect(arrived).toEqual([]);
});

test('what is no call of Twilio’s is a bad request, and too much is too much', async () => {
  expect((await ask({ fields: { CallSid: 'CA1' } })).status).toBe(400);
  expect((await ask({ fields: { To: '' } })).status).toBe(400);
  expect((await ask({ type: 'application/json', body: '{}' })).status).toBe(415);
  expect((await ask({ body: `a=${'x'.repeat(20_000)}` })).status).toBe(413);
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, '']));
  expect((await ask({ fields: many })).status).toBe(413);
  expect(arrived).toEqual([]);
});

test('without Twilio’s settings there is no such webhook', async () => {
  await using other = await apiServer(world);
  const answer = await fetch(`${other.url}${PATH}`, { method: 'POST', body: new URLSearchParams({ CallSid: CALL_SID }) });
  expect(answer.status).toBe(404);
});

/** Temporal's remote codec protocol, as its UI and its CLI speak it. */
import { randomBytes } from 'node:crypto';
import { EncryptionCodec } from '../../temporal/encryption-codec.ts';
import { apiServer, ask, type ApiServer } from '../support/api-server.ts';
import { tenantWorld, type TenantWorld } from '../support/tenant-world.ts';

const token = 'codec-token-for-tests';
const uiOrigin = 'http://127.0.0.1:8233';
const codec = new EncryptionCodec({ encryption: randomBytes(32) });
interface Payloads {
  payloads: { metadata: Record<string, string>; data: string }[];
}
let world: TenantWorld;
let api: ApiServer;

beforeAll(async () => {
  world = await tenantWorld();
  const settings = { token, origins: [uiOrigin], namespace: 'default', codec, bodyLimitBytes: 100_000 };
  api = await apiServer(world, { codec: settings });
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const base64 = (value: string): string => Buffer.from(value).toString('base64');
const plain = (value: unknown) => ({ metadata: { encoding: base64('json/plain') }, data: base64(JSON.stringify(value)) });

async function sealed(value: unknown) {
  const { metadata, data } = plain(value);
  const [payload] = await codec.encode([
    { metadata: { encoding: Buffer.from(metadata.encoding, 'base64') }, data: Buffer.from(data, 'base64') },
  ]);
  const fields = Object.entries(payload?.metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
  return { metadata: Object.fromEntries(fields) as Record<string, string>, data: Buffer.from(payload?.data ?? []).toString('base64') };
}

const bearer = { authorization: `Bearer ${token}` };
const post = (path: string, payloads: unknown[], headers: Record<string, string> = {}) =>
  ask<Payloads>(`${api.url}/internal/codec/${path}`, { method: 'POST', headers, body: { payloads } });

test('a sealed payload is shown to who has the token, in the header or in the path', async () => {
  const payloads = [await sealed({ text: 'My name is Ann' }), plain('from an old history')];
  const expected = { payloads: [plain({ text: 'My name is Ann' }), plain('from an old history')] };
  expect(await post('default/decode', payloads, bearer)).toMatchObject({ status: 200, body: expected });
  expect(await post(`${token}/default/decode`, payloads, { origin: uiOrigin, 'x-namespace': 'default' })).toMatchObject({
    status: 200,
    body: expected,
  });
});

test.each([
  ['no token', 'default/decode', {}],
  ['a wrong token', 'default/decode', { authorization: 'Bearer codec-token-for-testz' }],
  ['a wrong token in the path', 'codec-token-for-testz/default/decode', {}],
  ['a wrong token in the path beside the right one in the header', 'x/default/decode', bearer],
])('401 with %s', async (_, path, headers) => {
  const { status, body } = await post(path, [await sealed('secret')], headers);
  expect(status).toBe(401);
  expect(JSON.stringify(body)).not.toContain(base64('"secret"'));
});

test('a web page of another origin gets nothing, not even with the token', async () => {
  const origin = 'https://evil.example';
  const answer = await post(`${token}/default/decode`, [await sealed('secret')], { origin });
  expect(answer.status).toBe(403);
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  const preflight = await fetch(`${api.url}/internal/codec/${token}/default/decode`, { method: 'OPTIONS', headers: { origin } });
  expect(preflight.status).toBe(403);
});

test('the browser of the Temporal UI may ask', async () => {
  const url = `${api.url}/internal/codec/${token}/default/decode`;
  const headers = {
    origin: uiOrigin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,x-namespace',
  };
  const preflight = await fetch(url, { method: 'OPTIONS', headers });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe(uiOrigin);
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-namespace');
  const answer = await post(`${token}/default/decode`, [], { origin: uiOrigin });
  expect(answer.headers.get('access-control-allow-origin')).toBe(uiOrigin);
});

test('what an operator types into a form is sealed before it goes to Temporal', async () => {
  const { status, body } = await post('default/encode', [plain({ text: 'Please hold on, Ann' })], bearer);
  expect(status).toBe(200);
  expect(Buffer.from(body.payloads[0]?.metadata['encoding'] ?? '', 'base64').toString()).toBe('binary/encrypted');
  expect((await post('default/decode', body.payloads, bearer)).body.payloads).toEqual([plain({ text: 'Please hold on, Ann' })]);
});

test('a payload of an unknown key stays as it is, and the others are shown', async () => {
  const stranger = await sealed('lost');
  stranger.metadata['encryption-key-id'] = base64('0000000000000000/platform');
  const { status, body } = await post('default/decode', [stranger, await sealed('kept')], bearer);
  expect(status).toBe(200);
  expect(body.payloads).toEqual([stranger, plain('kept')]);
});

test.each([
  ['%7Bnamespace%7D/decode', { payloads: [] }, 404],
  ['default/destroy', { payloads: [] }, 404],
  ['another-namespace/decode', { payloads: [] }, 404],
  ['default/decode', { payloads: 'all' }, 400],
  ['default/decode', { payloads: [{ data: 'x'.repeat(100_001) }] }, 413],
])('%s is refused when it makes no sense (%#)', async (path, body, status) => {
  const answer = await ask(`${api.url}/internal/codec/${path}`, { method: 'POST', headers: bearer, body });
  expect(answer.status).toBe(status);
});

test('without a token in the settings there is no endpoint', async () => {
  await using closed = await apiServer(world);
  const answer = await ask(`${closed.url}/internal/codec/default/decode`, {
    method: 'POST',
    headers: { authorization: 'Bearer ' },
    body: { payloads: [] },
  });
  expect(answer.status).toBe(404);
});

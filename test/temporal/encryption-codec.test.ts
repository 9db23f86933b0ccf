import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { EncryptionCodec } from '../../temporal/encryption-codec.ts';

const platformKey = Buffer.alloc(32, 7);
const tenantId = '6f1c2a52-3a47-4c3e-9a3b-0c1f6f0f7e11';
const talk = { type: 'workflow', namespace: 'default', workflowId: 'call-1' } as const;

const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (sealed: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(sealed as Payload);
const keyIdOf = (sealed: Payload | undefined): string => Buffer.from(sealed?.metadata?.['encryption-key-id'] ?? []).toString();
const encodingOf = (sealed: Payload | undefined): string => Buffer.from(sealed?.metadata?.['encoding'] ?? []).toString();

async function sealOne(codec: EncryptionCodec, value: unknown, owner?: typeof talk): Promise<Payload | undefined> {
  return (await codec.encode([payload(value)], owner))[0];
}

test('a payload comes back as it was and shows nothing meanwhile but its encoding and the id of its key', async () => {
  const codec = new EncryptionCodec({ encryption: platformKey });
  const sealed = await sealOne(codec, { text: 'My name is Ann' });
  expect(encodingOf(sealed)).toBe('binary/encrypted');
  expect(keyIdOf(sealed)).toMatch(/^[0-9a-f]{16}\/platform$/);
  expect(Buffer.from(sealed?.data ?? []).toString('latin1')).not.toContain('Ann');
  expect(valueOf((await codec.decode(sealed ? [sealed] : []))[0])).toEqual({ text: 'My name is Ann' });
  expect(await sealOne(codec, { text: 'My name is Ann' })).not.toEqual(sealed);
});

test.each([
  ['a request', { callId: '1', tenantId }],
  ['a plan', { plan: { tenantId }, epoch: 1 }],
  ['an answer to the webhook', { status: 'accepted', tenant_id: tenantId }],
  ['an admission', { response: { tenant_id: tenantId }, plan: null }],
])('%s that names its tenant is sealed under that tenant’s key', async (_, value) => {
  const codec = new EncryptionCodec({ encryption: platformKey });
  expect(keyIdOf(await sealOne(codec, value))).toContain(`/tenant:${tenantId}`);
});

test('what follows in the same workflow is sealed under the tenant’s key, in this process and in one that only read', async () => {
  const writer = new EncryptionCodec({ encryption: platformKey });
  expect(keyIdOf(await sealOne(writer, 'before admission', talk))).toContain('/platform');
  const named = await sealOne(writer, { tenantId }, talk);
  expect(keyIdOf(await sealOne(writer, 'a turn', talk))).toContain(`/tenant:${tenantId}`);

  const reader = new EncryptionCodec({ encryption: platformKey });
  await reader.decode(named ? [named] : [], talk);
  expect(keyIdOf(await sealOne(reader, 'a turn', talk))).toContain(`/tenant:${tenantId}`);
  expect(keyIdOf(await sealOne(reader, 'a turn', { ...talk, workflowId: 'call-2' as 'call-1' }))).toContain('/platform');
});

test('a payload opens with the previous platform key, and not without it', async () => {
  const sealed = await sealOne(new EncryptionCodec({ encryption: platformKey }), { tenantId, text: 'kept' });
  const after = { encryption: Buffer.alloc(32, 8) };
  const rotated = new EncryptionCodec({ ...after, encryptionPrevious: platformKey });
  expect(valueOf((await rotated.decode(sealed ? [sealed] : []))[0])).toEqual({ tenantId, text: 'kept' });
  expect(keyIdOf(await sealOne(rotated, 'new'))).toBe(keyIdOf(await sealOne(new EncryptionCodec(after), 'new')));
  await expect(new EncryptionCodec(after).decode(sealed ? [sealed] : [])).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('DATA_ENCRYPTION_KEY_PREVIOUS'),
  });
});

test('a payload does not open under the name of another tenant, nor when it was changed', async () => {
  const codec = new EncryptionCodec({ encryption: platformKey });
  const sealed = (await sealOne(codec, { tenantId })) as Payload;
  const renamed = keyIdOf(sealed).replace(tenantId, tenantId.replace('6', '7'));
  await expect(
    codec.decode([{ ...sealed, metadata: { ...sealed.metadata, 'encryption-key-id': Buffer.from(renamed) } }]),
  ).rejects.toThrow();
  const data = Buffer.from(sealed.data ?? []);
  data[data.length - 1] = (data.at(-1) ?? 0) ^ 1;
  await expect(codec.decode([{ ...sealed, data }])).rejects.toThrow();
});

test('what is not encrypted passes through decode, and what is encrypted already through encode', async () => {
  const codec = new EncryptionCodec({ encryption: platformKey });
  const plain = payload({ from: 'an old history' });
  expect(await codec.decode([plain])).toEqual([plain]);
  const sealed = await codec.encode([plain]);
  expect(await codec.encode(sealed)).toEqual(sealed);
});

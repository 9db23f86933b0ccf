import { randomUUID } from 'node:crypto';
import { apiServer, ask, type Answer, type ApiServer } from '../support/api-server.ts';
import { tenantWorld, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
let api: ApiServer;
beforeAll(async () => {
  world = await tenantWorld();
  api = await apiServer(world);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const valid = { name: 'Bright Smile Dental', country: 'US', timezone: 'America/New_York' };
const post = (path: string, body: unknown): Promise<Answer> => ask(`${api.url}${path}`, { method: 'POST', body });
const patch = (path: string, body: unknown): Promise<Answer> => ask(`${api.url}${path}`, { method: 'PATCH', body });
const get = (path: string): Promise<Answer> => ask(`${api.url}${path}`);
const fieldsOf = ({ body }: Answer): string[] => (body['errors'] as { path: string }[]).map(({ path }) => path);

async function newTenant(change: object = {}): Promise<string> {
  return String((await post('/api/tenants', { ...valid, ...change })).body['id']);
}

describe('tenants', () => {
  test('are created with defaults, and found where Location says', async () => {
    const made = await post('/api/tenants', valid);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      ...valid,
      status: 'active',
      plan: 'starter',
      opening_hours: { monday: [{ open: '09:00', close: '17:00' }], sunday: [] },
    });
    expect(made.body).not.toHaveProperty('wrapped_data_key');
    const location = made.headers.get('location') ?? '';
    expect(location).toBe(`/api/tenants/${String(made.body['id'])}`);
    expect((await get(location)).body).toEqual(made.body);
  });

  test('are changed field by field', async () => {
    const id = await newTenant();
    const changed = await patch(`/api/tenants/${id}`, { status: 'suspended', timezone: 'Europe/Berlin' });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ id, name: valid.name, status: 'suspended', timezone: 'Europe/Berlin', country: 'US' });
    expect((await get(`/api/tenants/${id}`)).body).toEqual(changed.body);
  });

  test('stay deleted', async () => {
    const id = await newTenant();
    await patch(`/api/tenants/${id}`, { status: 'deleted' });
    expect(await patch(`/api/tenants/${id}`, { status: 'active' })).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  test('are listed in pages that neither repeat nor miss one', async () => {
    const made = new Set<string>();
    for (let count = 0; count < 5; count++) made.add(await newTenant({ name: `Tenant ${count}` }));
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await ask<{ items: { id: string }[]; next_cursor: string | null }>(`${api.url}/api/tenants?limit=2${cursor}`);
      expect(page.status).toBe(200);
      expect(page.body.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`;
    } while (cursor !== '');
    expect(new Set(seen).size).toBe(seen.length);
    for (const id of made) expect(seen).toContain(id);
  });

  test.each([
    ['name', { name: ' ' }],
    ['name', { name: 'x'.repeat(201) }],
    ['name', { name: 'a\u0000b' }],
    ['country', { country: 'us' }],
    ['timezone', { timezone: 'Mars/Olympus' }],
    ['plan', { plan: 'gold' }],
    ['opening_hours.monday.0.close', { opening_hours: week([{ open: '09:00', close: '25:00' }]) }],
    ['opening_hours.monday', { opening_hours: week([{ open: '17:00', close: '09:00' }]) }],
    ['opening_hours.sunday', { opening_hours: { ...week([]), sunday: undefined } }],
    ['status', { status: 'active' }],
    ['id', { id: randomUUID() }],
    ['wrapped_data_key', { wrapped_data_key: 'x' }],
  ])('400 names the field %s', async (field, change) => {
    const answer = await post('/api/tenants', { ...valid, ...change });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', status: 400, title: 'Bad request' } });
    expect(fieldsOf(answer)).toEqual([field]);
  });

  test('an empty patch, and one of unknown fields, is 400', async () => {
    const id = await newTenant();
    expect((await patch(`/api/tenants/${id}`, {})).status).toBe(400);
    expect(fieldsOf(await patch(`/api/tenants/${id}`, { colour: 'red' }))).toEqual(['colour']);
  });
});

function week(monday: object[]) {
  return { monday, tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] };
}

describe('phone numbers', () => {
  test('are stored in E.164 however they are written, and belong to one tenant', async () => {
    const [id, other] = [await newTenant(), await newTenant({ country: 'GB', timezone: 'Europe/London' })];
    const made = await post(`/api/tenants/${id}/phone-numbers`, { did_number: '(202) 555-0111' });
    expect(made).toMatchObject({
      status: 201,
      body: { tenant_id: id, did_number: '+12025550111', provider_type: 'generic', is_active: true, ai_profile_id: null },
    });
    expect((await get(made.headers.get('location') ?? '')).body).toEqual(made.body);
    for (const owner of [id, other]) {
      const taken = await post(`/api/tenants/${owner}/phone-numbers`, { did_number: '+1 202 555 0111' });
      expect(taken).toMatchObject({ status: 409, body: { code: 'conflict', errors: [{ path: 'did_number' }] } });
    }
    expect((await post(`/api/tenants/${other}/phone-numbers`, { did_number: '020 7946 0011' })).body['did_number']).toBe('+442079460011');
  });

  test.each(['12', 'phone', '2025550111x', '+00000000'])('"%s" is no number: 400', async (did_number) => {
    const answer = await post(`/api/tenants/${await newTenant()}/phone-numbers`, { did_number });
    expect([answer.status, fieldsOf(answer)]).toEqual([400, ['did_number']]);
  });

  test('are switched off and given to a profile, but not to another tenant’s', async () => {
    const [id, other] = [await newTenant(), await newTenant()];
    const number = (await post(`/api/tenants/${id}/phone-numbers`, { did_number: '+12025550112' })).body;
    const [own, foreign] = await Promise.all(
      [id, other].map((owner) => post(`/api/tenants/${owner}/ai-profiles`, { name: 'P', system_prompt: 'Be kind.' })),
    );
    const path = `/api/tenants/${id}/phone-numbers/${String(number['id'])}`;
    expect((await patch(path, { is_active: false, ai_profile_id: own?.body['id'] })).body).toMatchObject({
      is_active: false,
      ai_profile_id: own?.body['id'],
    });
    const refused = await patch(path, { ai_profile_id: foreign?.body['id'] });
    expect([refused.status, fieldsOf(refused)]).toEqual([400, ['ai_profile_id']]);
    expect(fieldsOf(await patch(path, { did_number: '+12025550113' }))).toEqual(['did_number']);
    expect((await patch(path, { ai_profile_id: null })).body['ai_profile_id']).toBeNull();
  });
});

describe('AI profiles', () => {
  test('need a prompt that says something', async () => {
    const id = await newTenant();
    for (const system_prompt of ['', ' \n\t']) {
      expect(fieldsOf(await post(`/api/tenants/${id}/ai-profiles`, { name: 'P', system_prompt }))).toEqual(['system_prompt']);
    }
    const made = await post(`/api/tenants/${id}/ai-profiles`, { name: 'P', system_prompt: 'Be kind.' });
    expect(made).toMatchObject({
      status: 201,
      body: { role: 'receptionist', language: 'en-US', voice: null, greeting: null, is_default: false },
    });
  });

  test('exactly one is the default: a new one takes it over', async () => {
    const id = await newTenant();
    const profile = { name: 'P', system_prompt: 'Be kind.', is_default: true };
    const first = await post(`/api/tenants/${id}/ai-profiles`, profile);
    const second = await post(`/api/tenants/${id}/ai-profiles`, profile);
    const defaults = async (): Promise<unknown[]> =>
      ((await get(`/api/tenants/${id}/ai-profiles`)).body['items'] as { id: string; is_default: boolean }[])
        .filter((each) => each.is_default)
        .map((each) => each.id);
    expect(await defaults()).toEqual([second.body['id']]);
    await patch(`/api/tenants/${id}/ai-profiles/${String(first.body['id'])}`, { is_default: true, role: 'sales' });
    expect(await defaults()).toEqual([first.body['id']]);
  });

  test('of two requests that take the default at once one may lose, but never both win', async () => {
    const id = await newTenant();
    const profile = { name: 'P', system_prompt: 'Be kind.', is_default: true };
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(`/api/tenants/${id}/ai-profiles`, profile)));
    for (const { status } of answers) expect([201, 409]).toContain(status);
    const items = (await get(`/api/tenants/${id}/ai-profiles`)).body['items'] as { is_default: boolean }[];
    expect(items.filter((each) => each.is_default)).toHaveLength(1);
  });
});

describe('what is not there is 404', () => {
  test.each(['', '/phone-numbers', '/ai-profiles', '/calls', '/bookings'])('GET /api/tenants/{unknown}%s', async (rest) => {
    for (const id of [randomUUID(), 'me', '1%27%20or%201=1']) {
      expect(await get(`/api/tenants/${id}${rest}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
  });

  test('and so is a resource of another tenant', async () => {
    const [id, other] = [await newTenant(), await newTenant()];
    const number = await post(`/api/tenants/${id}/phone-numbers`, { did_number: '+12025550119' });
    const profile = await post(`/api/tenants/${id}/ai-profiles`, { name: 'P', system_prompt: 'x' });
    const paths = [
      `/api/tenants/${other}/phone-numbers/${String(number.body['id'])}`,
      `/api/tenants/${other}/ai-profiles/${String(profile.body['id'])}`,
    ];
    for (const path of paths) {
      expect((await get(path)).status).toBe(404);
      expect((await patch(path, path.includes('phone') ? { is_active: false } : { name: 'x' })).status).toBe(404);
    }
  });

  test.each([
    ['POST', '/phone-numbers', { did_number: '+12025550118' }],
    ['POST', '/ai-profiles', { name: 'P', system_prompt: 'x' }],
    ['PATCH', '', { name: 'x' }],
  ])('%s /api/tenants/{unknown}%s', async (method, rest, body) => {
    expect((await ask(`${api.url}/api/tenants/${randomUUID()}${rest}`, { method, body })).status).toBe(404);
  });
});

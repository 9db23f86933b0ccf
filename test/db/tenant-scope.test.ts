import { randomUUID } from 'node:crypto';
import { AIProfile } from '../../src/db/entities/ai-profile.ts';
import { Booking } from '../../src/db/entities/booking.ts';
import { Call } from '../../src/db/entities/call.ts';
import { PhoneNumber } from '../../src/db/entities/phone-number.ts';
import { Tenant } from '../../src/db/entities/tenant.ts';
import { createOrm } from '../../src/db/orm.ts';
import { Database } from '../../src/db/tenant-scope.ts';
import { runSql } from '../support/database.ts';
import { startTcpGate } from '../support/tcp-gate.ts';
import { addCall, addCallRows, addTenant, tenantWorld, type TenantIds, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
let ours: TenantIds;
let theirs: TenantIds;

beforeAll(async () => {
  world = await tenantWorld();
  [ours, theirs] = [await addTenant(world), await addTenant(world)];
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe('Database.inTenant', () => {
  test('finds the rows of its tenant only, also when the query asks for another', async () => {
    const found = await world.db.inTenant(ours.tenantId, async (em) => ({
      profiles: await em.find(AIProfile, {}),
      foreign: await em.find(AIProfile, { tenantId: theirs.tenantId }),
      foreignById: await em.findOne(PhoneNumber, { id: theirs.phoneNumberId }),
      tenants: await em.find(Tenant, {}),
    }));
    expect(found.profiles.map(({ id }) => id)).toEqual([ours.aiProfileId]);
    expect(found.foreign).toEqual([]);
    expect(found.foreignById).toBeNull();
    expect(found.tenants.map(({ id }) => id)).toEqual([ours.tenantId]);
  });

  test('holds with the ORM filter switched off: PostgreSQL is the second line', async () => {
    const found = await world.db.inTenant(ours.tenantId, (em) => em.find(AIProfile, {}, { filters: false }));
    expect(found.map(({ id }) => id)).toEqual([ours.aiProfileId]);
    const changed = await world.db.inTenant(ours.tenantId, (em) => em.nativeUpdate(AIProfile, {}, { name: 'changed' }, { filters: false }));
    expect(changed).toBe(1);
    const name = await world.db.inTenant(
      theirs.tenantId,
      async (em) => (await em.findOneOrFail(AIProfile, { id: theirs.aiProfileId })).name,
    );
    expect(name).toBe('Receptionist');
  });

  test('refuses to write a row of another tenant', async () => {
    const write = world.db.inTenant(ours.tenantId, async (em) => {
      em.create(AIProfile, { tenantId: theirs.tenantId, name: 'x', systemPrompt: 'x' });
    });
    await expect(write).rejects.toThrow('row-level security');
  });

  test('takes everything back when the work throws', async () => {
    const failing = world.db.inTenant(ours.tenantId, async (em) => {
      em.create(AIProfile, { tenantId: ours.tenantId, name: 'lost', systemPrompt: 'x' });
      await em.flush();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await world.db.inTenant(ours.tenantId, (em) => em.count(AIProfile, { name: 'lost' }))).toBe(0);
  });

  test('scopes at the same time do not see each other', async () => {
    const scopes = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? ours : theirs));
    const seen = await Promise.all(
      scopes.map(({ tenantId }) =>
        world.db.inTenant(tenantId, async (em) => {
          const first = await em.find(AIProfile, {});
          await new Promise((resolve) => setImmediate(resolve));
          return [
            ...first,
            ...(await em.fork({ keepTransactionContext: true }).find(AIProfile, {}, { filters: { tenant: { tenantId } } })),
          ].map((row) => row.tenantId);
        }),
      ),
    );
    expect(seen).toEqual(scopes.map(({ tenantId }) => [tenantId, tenantId]));
  });

  test('a scope opened inside another inherits nothing from it', async () => {
    const settings = `select nullif(current_setting('app.tenant_id', true), '') as tenant, nullif(current_setting('app.platform', true), '') as platform`;
    type Settings = { tenant: string | null; platform: string | null };
    const [inner, platform, outside] = await world.db.inTenant(ours.tenantId, async () => [
      await world.db.inTenant(theirs.tenantId, async (em) => ({
        profiles: (await em.find(AIProfile, {})).map(({ id }) => id),
        settings: await em.execute<Settings[]>(settings),
      })),
      await world.db.asPlatform((em) => em.execute<Settings[]>(settings)),
      await world.db.resolveDid([{ e164: theirs.did, country: null }]),
    ]);
    expect(inner).toEqual({ profiles: [theirs.aiProfileId], settings: [{ tenant: theirs.tenantId, platform: null }] });
    expect(platform).toEqual([{ tenant: null, platform: 'on' }]);
    expect(outside?.tenantId).toBe(theirs.tenantId);
  });

  test.each(['', 'everyone', `${randomUUID()}' or true`])('"%s" is not a scope', async (tenantId) => {
    await expect(world.db.inTenant(tenantId, (em) => em.find(Call, {}))).rejects.toMatchObject({ code: 'tenant_scope_missing' });
  });
});

describe('Database.asPlatform', () => {
  test('sees the tenants', async () => {
    expect(await world.db.asPlatform((em) => em.count(Tenant, {}))).toBe(2);
  });

  test('sees nothing that belongs to a tenant', async () => {
    await expect(world.db.asPlatform((em) => em.find(PhoneNumber, {}))).rejects.toMatchObject({ code: 'tenant_scope_missing' });
    expect(await world.db.asPlatform((em) => em.find(PhoneNumber, {}, { filters: false }))).toEqual([]);
  });
});

test('a query outside every scope throws tenant_scope_missing, and finds nothing with the filter off', async () => {
  const orm = await createOrm({ url: world.database.appUrl });
  try {
    for (const entity of [Tenant, AIProfile, PhoneNumber, Call, Booking]) {
      await expect(orm.em.fork().find(entity as typeof Call, {})).rejects.toMatchObject({ code: 'tenant_scope_missing' });
      expect(await orm.em.fork().find(entity as typeof Call, {}, { filters: false })).toEqual([]);
    }
  } finally {
    await orm.close(true);
  }
});

describe('constraints', () => {
  const violation = (constraint: string) => ({ constraint });

  test('a number belongs to one tenant on the whole platform', async () => {
    const taking = world.db.inTenant(theirs.tenantId, async (em) => {
      em.create(PhoneNumber, { tenantId: theirs.tenantId, didNumber: ours.did });
    });
    await expect(taking).rejects.toMatchObject(violation('phone_numbers_did_number_unique'));
  });

  test('one default profile per tenant, and no blank prompt', async () => {
    const second = world.db.inTenant(ours.tenantId, async (em) => {
      em.create(AIProfile, { tenantId: ours.tenantId, name: 'x', systemPrompt: 'x', isDefault: true });
    });
    await expect(second).rejects.toMatchObject(violation('ai_profiles_one_default_per_tenant'));
    const blank = world.db.inTenant(ours.tenantId, async (em) => {
      em.create(AIProfile, { tenantId: ours.tenantId, name: 'x', systemPrompt: ' \n' });
    });
    await expect(blank).rejects.toMatchObject(violation('ai_profiles_system_prompt_not_blank'));
  });

  test('a disposition and a terminal status come together', async () => {
    const callId = await addCall(world, ours.tenantId);
    const half = world.db.inTenant(ours.tenantId, (em) => em.nativeUpdate(Call, { id: callId }, { status: 'completed' }));
    await expect(half).rejects.toMatchObject(violation('calls_disposition_is_terminal'));
  });
});

test('what belongs to a tenant goes with it', async () => {
  const doomed = await addTenant(world);
  const callId = await addCall(world, doomed.tenantId);
  await addCallRows(world, doomed.tenantId, callId);
  // The owner erases; the application never does.
  await runSql(world.database.ownerUrl, `set app.platform = 'on'`, { sql: 'delete from tenants where id = $1', values: [doomed.tenantId] });
  for (const table of ['ai_profiles', 'phone_numbers', 'calls', 'call_turns', 'bookings', 'tool_runs']) {
    const rows = await runSql(world.database.appUrl, `set app.tenant_id = '${doomed.tenantId}'`, `select 1 from ${table}`);
    expect([table, rows]).toEqual([table, []]);
  }
});

test('a database that goes away is dependency_unavailable, and works again when it is back', async () => {
  const url = new URL(world.database.appUrl);
  await using gate = await startTcpGate({ host: url.hostname, port: Number(url.port) });
  url.port = String(gate.port);
  await using db = await Database.open({ url: url.href });
  await db.ping();
  await gate.shut();
  await expect(db.ping()).rejects.toMatchObject({ code: 'dependency_unavailable', retryable: true });
  await expect(db.inTenant(ours.tenantId, (em) => em.count(Call, {}))).rejects.toMatchObject({
    code: 'dependency_unavailable',
    retryable: true,
  });
  await gate.open();
  expect(await db.inTenant(ours.tenantId, (em) => em.count(AIProfile, {}))).toBe(1);
});

/** Raw SQL as the application's role: what PostgreSQL itself holds, whatever the code above forgets. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { addCall, addCallRows, addTenant, tenantWorld, type TenantIds, type TenantWorld } from '../support/tenant-world.ts';

const owned = ['ai_profiles', 'phone_numbers', 'calls', 'call_turns', 'bookings', 'tool_runs'];
const tables = ['tenants', ...owned];

let world: TenantWorld;
let ours: TenantIds & { callId: string };
let theirs: TenantIds & { callId: string };
let client: pg.Client;

beforeAll(async () => {
  world = await tenantWorld();
  [ours, theirs] = await Promise.all([populated(), populated()]);
  client = new pg.Client({ connectionString: world.database.appUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await world[Symbol.asyncDispose]();
});

async function populated(): Promise<TenantIds & { callId: string }> {
  const ids = await addTenant(world);
  const callId = await addCall(world, ids.tenantId);
  await addCallRows(world, ids.tenantId, callId);
  return { ...ids, callId };
}

/** Runs in a transaction that is thrown away, in our tenant's scope unless told otherwise. */
async function inScope<T>(settings: Record<string, string>, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    for (const [name, value] of Object.entries(settings)) await client.query('select set_config($1, $2, true)', [name, value]);
    return await work();
  } finally {
    await client.query('rollback');
  }
}
const asUs = <T>(work: () => Promise<T>): Promise<T> => inScope({ 'app.tenant_id': ours.tenantId }, work);

const count = async (table: string): Promise<number> => Number((await client.query(`select count(*) from ${table}`)).rows[0].count);

/** The tenant column of a table. */
const keyOf = (table: string): string => (table === 'tenants' ? 'id' : 'tenant_id');

test('the role is neither superuser nor allowed to go round row-level security', async () => {
  const { rows } = await client.query('select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user');
  expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, rolcreaterole: false }]);
});

describe.each(tables)('%s', (table) => {
  test('shows our one row in our scope and nothing of theirs', async () => {
    await asUs(async () => {
      expect(await count(table)).toBe(1);
      const { rows } = await client.query(`select 1 from ${table} where ${keyOf(table)} = $1`, [theirs.tenantId]);
      expect(rows).toEqual([]);
    });
  });

  test('shows nothing without a scope, with an empty one, or with that of a tenant that is not', async () => {
    expect(await inScope({}, () => count(table))).toBe(0);
    expect(await inScope({ 'app.tenant_id': '' }, () => count(table))).toBe(0);
    expect(await inScope({ 'app.tenant_id': randomUUID() }, () => count(table))).toBe(0);
  });

  test('their rows can be neither changed nor deleted from our scope', async () => {
    await asUs(async () => {
      const key = keyOf(table);
      const changed = await client.query(`update ${table} set updated_at = now() where ${key} = $1`, [theirs.tenantId]);
      expect(changed.rowCount).toBe(0);
      if (table === 'tenants') return;
      const deleted = await client.query(`delete from ${table} where ${key} = $1`, [theirs.tenantId]);
      expect(deleted.rowCount).toBe(0);
      // Even a statement that forgets the tenant stops at the border.
      const all = await client.query(`update ${table} set updated_at = now()`);
      expect(all.rowCount).toBe(1);
    });
  });
});

describe.each(owned)('%s', (table) => {
  test('no row can be moved to another tenant', async () => {
    await asUs(async () => {
      await expect(client.query(`update ${table} set tenant_id = $1`, [theirs.tenantId])).rejects.toThrow('row-level security');
    });
  });

  test('no row can be written for another tenant, or without a scope', async () => {
    // A copy of our row, told to be theirs.
    const { rows } = await asUs(() => client.query(`select to_jsonb(t) as row from ${table} t`));
    const copy = { ...rows[0].row, id: randomUUID(), tenant_id: theirs.tenantId };
    const insert = (): Promise<unknown> =>
      client.query(`insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`, [copy]);
    await asUs(() => expect(insert()).rejects.toThrow('row-level security'));
    await inScope({}, () => expect(insert()).rejects.toThrow('row-level security'));
  });

  test('platform scope opens tenants only', async () => {
    expect(await inScope({ 'app.platform': 'on' }, () => count(table))).toBe(0);
  });
});

describe('references', () => {
  test.each([
    ['call_turns', 'call_id'],
    ['tool_runs', 'call_id'],
    ['bookings', 'source_call_id'],
  ])('%s.%s cannot point at a call of another tenant', async (table, column) => {
    await asUs(() => expect(client.query(`update ${table} set ${column} = $1`, [theirs.callId])).rejects.toThrow('row-level security'));
  });

  test('a number or a call cannot use a profile or number of another tenant', async () => {
    await asUs(() =>
      expect(client.query('update phone_numbers set ai_profile_id = $1', [theirs.aiProfileId])).rejects.toThrow('row-level security'),
    );
    await asUs(() =>
      expect(client.query('update calls set ai_profile_id = $1', [theirs.aiProfileId])).rejects.toThrow('row-level security'),
    );
    await asUs(() =>
      expect(client.query('update calls set phone_number_id = $1', [theirs.phoneNumberId])).rejects.toThrow('row-level security'),
    );
  });
});

describe('tenants', () => {
  test('a tenant cannot change itself, or make another', async () => {
    await asUs(async () => {
      expect((await client.query(`update tenants set status = 'active', name = 'x'`)).rowCount).toBe(0);
    });
    const { rows } = await asUs(() => client.query('select to_jsonb(t) as row from tenants t'));
    await asUs(() =>
      expect(
        client.query('insert into tenants select * from jsonb_populate_record(null::tenants, $1)', [{ ...rows[0].row, id: randomUUID() }]),
      ).rejects.toThrow('row-level security'),
    );
  });

  test('platform scope sees them all, and nobody may delete one', async () => {
    await inScope({ 'app.platform': 'on' }, async () => {
      expect(await count('tenants')).toBe(2);
      await expect(client.query('delete from tenants')).rejects.toThrow('permission denied');
    });
  });
});

describe('rights', () => {
  test.each([
    'drop table calls',
    'alter table calls disable row level security',
    'create table mine (id int)',
    'truncate calls',
    'select * from schema_migrations',
  ])('the role may not: %s', async (statement) => {
    await inScope({}, () => expect(client.query(statement)).rejects.toThrow(/must be owner|permission denied/));
  });
});

describe('resolve_did', () => {
  test('answers ids and flags without a scope, and cannot be led to other tables', async () => {
    await client.query(`create temp table phone_numbers (id uuid, tenant_id uuid, did_number text, is_active boolean)`);
    try {
      const { rows } = await client.query('select * from resolve_did(array[$1], array[null]::text[])', [ours.did]);
      expect(rows).toEqual([{ phone_number_id: ours.phoneNumberId, tenant_id: ours.tenantId, is_active: true, tenant_status: 'active' }]);
    } finally {
      await client.query('drop table pg_temp.phone_numbers');
    }
  });
});

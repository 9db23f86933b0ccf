import { migrateDown, migrateUp, schemaDrift } from '../../src/db/migrate.ts';
import { migrations } from '../../src/db/migrations/list.ts';
import { Database } from '../../src/db/tenant-scope.ts';
import { runSql } from '../support/database.ts';
import { createTestDatabase, type TestDatabase } from '../support/stack.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

/** Everything in the schema as text, one line per object: columns, constraints, indexes, policies, rights, functions. */
const CATALOGUE = `
  select line from (
    select format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) as line
      from information_schema.columns where table_schema = 'public'
    union all select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
    union all select indexdef from pg_indexes where schemaname = 'public'
    union all select format('policy %s %s %s %s %s', tablename, policyname, cmd, qual, with_check) from pg_policies where schemaname = 'public'
    union all select format('rls %s %s %s %s', relname, relrowsecurity, relforcerowsecurity, relacl) from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r'
    union all select pg_get_functiondef(oid) || proacl::text from pg_proc where pronamespace = 'public'::regnamespace
  ) as catalogue where line not like '%schema_migrations%' order by line`;

const catalogue = async (): Promise<string[]> => (await runSql<{ line: string }>(database.ownerUrl, CATALOGUE)).map(({ line }) => line);

test('migrations go up, down without a trace, and up again to the same schema', async () => {
  const empty = await catalogue();
  expect(await migrateUp({ url: database.ownerUrl })).toEqual(migrations.map(({ name }) => name));
  const first = await catalogue();
  expect(first.length).toBeGreaterThan(100);
  expect(await migrateUp({ url: database.ownerUrl })).toEqual([]);
  for (const { name } of migrations.toReversed()) expect(await migrateDown({ url: database.ownerUrl })).toEqual([name]);
  expect(await catalogue()).toEqual(empty);
  await migrateUp({ url: database.ownerUrl });
  expect(await catalogue()).toEqual(first);
});

test('the migrated schema is the one that the entities describe', async () => {
  await migrateUp({ url: database.ownerUrl });
  expect(await schemaDrift({ url: database.ownerUrl })).toBe('');
});

test('every table holds its rows back, from the owner too, and the app owns none of them', async () => {
  await migrateUp({ url: database.ownerUrl });
  const tables = await runSql<{ relname: string; held: boolean; owner: string }>(
    database.ownerUrl,
    `select relname, relrowsecurity and relforcerowsecurity as held, pg_get_userbyid(relowner) as owner from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'schema_migrations' order by relname`,
  );
  expect(tables.map(({ relname }) => relname)).toEqual([
    'ai_profiles',
    'bookings',
    'call_turns',
    'calls',
    'phone_numbers',
    'tenants',
    'tool_runs',
  ]);
  for (const table of tables) expect(table).toMatchObject({ held: true, owner: 'holdfast_owner' });
});

test('every table but tenants has a non-null, indexed tenant_id that goes with its tenant', async () => {
  await migrateUp({ url: database.ownerUrl });
  const rows = await runSql<{ table_name: string; nullable: string; cascades: boolean; indexed: boolean }>(
    database.ownerUrl,
    `select c.table_name, c.is_nullable as nullable,
       exists (select from pg_constraint k where k.conrelid = c.table_name::regclass and k.confrelid = 'tenants'::regclass and k.confdeltype = 'c') as cascades,
       exists (select from pg_indexes i where i.tablename = c.table_name and i.indexdef like '%(tenant_id)%') as indexed
     from information_schema.columns c where c.table_schema = 'public' and c.column_name = 'tenant_id' order by 1`,
  );
  expect(rows.map((row) => row.table_name)).toEqual(['ai_profiles', 'bookings', 'call_turns', 'calls', 'phone_numbers', 'tool_runs']);
  for (const row of rows) expect(row).toMatchObject({ nullable: 'NO', cascades: true, indexed: true });
});

test('isMigrated tells a database that was never migrated', async () => {
  await using empty = await createTestDatabase();
  const db = await Database.open({ url: empty.appUrl });
  try {
    expect(await db.isMigrated()).toBe(false);
  } finally {
    await db[Symbol.asyncDispose]();
  }
});

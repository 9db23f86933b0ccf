import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../setup/stack/postgres.ts';
import { createDataDir } from '../../setup/stack/run-dirs.ts';
import { supervise, type Supervised } from '../../setup/stack/supervisor.ts';
import { createTestDatabase, sharedParts } from '../support/stack.ts';

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

describe('startPostgres', () => {
  test('the application role owns nothing and cannot get around row-level security', async () => {
    const [role] = await query(
      sharedParts().database.appUrl,
      'SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user',
    );
    expect(role).toEqual({ rolname: 'holdfast_app', rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false });
    const owned = await query(
      sharedParts().database.adminUrl,
      "SELECT datname FROM pg_database JOIN pg_roles ON datdba = pg_roles.oid WHERE rolname = 'holdfast_app'",
    );
    expect(owned).toEqual([]);
    await expect(query(sharedParts().database.appUrl, 'CREATE TABLE mine (id int)')).rejects.toThrow('permission denied');
  });

  test('a wrong password is refused', async () => {
    const wrong = new URL(sharedParts().database.appUrl);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });
});

describe('startPostgres, kept running', () => {
  test('comes back after a crash on the same port with what it held', async () => {
    await using dirs = await createDataDir();
    const nothing = (): void => undefined;
    let supervised: Supervised | undefined;
    await using postgres = await startPostgres({
      dir: dirs.dataDir,
      logFile: join(dirs.dataDir, 'postgres.log'),
      port: 0,
      launch: async (options) => (supervised = await supervise(options, { onDied: nothing, onRestarted: nothing, onGaveUp: nothing })),
    });
    await query(postgres.ownerUrl, 'CREATE TABLE kept (id int)');
    await query(postgres.ownerUrl, 'INSERT INTO kept VALUES (7)');
    const before = postgres.pid;
    supervised?.kill();
    await supervised?.again();
    expect(postgres.pid).not.toBe(before);
    expect(await query(postgres.ownerUrl, 'SELECT id FROM kept')).toEqual([{ id: 7 }]);
  }, 60_000);
});

describe('createTestDatabase', () => {
  test('clones a template and leaves nothing behind', async () => {
    const admin = sharedParts().database.adminUrl;
    let name = '';
    {
      await using template = await createTestDatabase();
      await query(template.ownerUrl, 'CREATE TABLE kept (id int)');
      await query(template.ownerUrl, 'INSERT INTO kept VALUES (7)');
      await using clone = await createTestDatabase(template.name);
      name = clone.name;
      expect(await query(clone.ownerUrl, 'SELECT id FROM kept')).toEqual([{ id: 7 }]);
    }
    expect(await query(admin, `SELECT datname FROM pg_database WHERE datname = '${name}'`)).toEqual([]);
  });
});

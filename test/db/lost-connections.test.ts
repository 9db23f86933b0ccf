/** PostgreSQL going away under running work, with or without a word: the pool has to be whole when it is back. */
import { Database } from '../../src/db/tenant-scope.ts';
import { createTestDatabase, type TestDatabase } from '../support/stack.ts';
import { startTcpGate, type TcpGate } from '../support/tcp-gate.ts';

const POOL_MAX = 2;
const unavailable = { code: 'dependency_unavailable', retryable: true };
let server: TestDatabase;
let gate: TcpGate;
let db: Database;

beforeAll(async () => {
  server = await createTestDatabase();
  const url = new URL(server.appUrl);
  gate = await startTcpGate({ host: url.hostname, port: Number(url.port) });
  url.host = `127.0.0.1:${gate.port}`;
  db = await Database.open({ url: url.href, poolMax: POOL_MAX, connectTimeoutMs: 2_000, statementTimeoutMs: 100 });
});
afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
  await gate?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const lost = (meanwhile: () => Promise<void> | void): Promise<unknown> =>
  db.asPlatform(async (em) => {
    await em.execute('select 1');
    await meanwhile();
    await em.execute('select 2');
  });

/** As many at once as the pool has connections: it notices one that is missing. */
async function expectWholePool(): Promise<void> {
  await Promise.all(Array.from({ length: POOL_MAX }, () => db.asPlatform((em) => em.execute('select pg_sleep(0.05)'))));
}

test('transactions that were cut off do not take their connections with them', async () => {
  for (let times = 0; times <= POOL_MAX; times++) {
    await expect(lost(() => gate.shut())).rejects.toMatchObject(unavailable);
    await gate.open();
  }
  await expectWholePool();
});

test('a connection whose query was never answered is not used again', async () => {
  await db.ping();
  gate.blackHole();
  await expect(db.ping()).rejects.toMatchObject(unavailable);
  await gate.open();
  await db.ping();
});

test('nor is one that fell silent in the middle of a transaction', async () => {
  for (let times = 0; times <= POOL_MAX; times++) {
    await expect(lost(() => gate.blackHole())).rejects.toMatchObject(unavailable);
    await gate.open();
  }
  await expectWholePool();
});

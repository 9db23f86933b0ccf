import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Activities } from '../../src/activities/create-activities.ts';
import { createLogger } from '../../src/telemetry.ts';
import { startCallWorker } from '../../temporal/call-worker.ts';
import { migratedDatabase } from '../support/database.ts';
import { createTestDatabase, sharedParts, type TestDatabase } from '../support/stack.ts';

const program = fileURLToPath(new URL('../../src/bin/worker.ts', import.meta.url));
const key = Buffer.alloc(32, 7).toString('base64');
let database: TestDatabase;
let good: Record<string, string>;

beforeAll(async () => {
  database = await migratedDatabase();
  good = {
    PATH: process.env['PATH'] ?? '',
    APP_ENV: 'development',
    DATABASE_URL: database.appUrl,
    REDIS_URL: sharedParts().redisUrl,
    TEMPORAL_ADDRESS: sharedParts().temporal.address,
    MEDIA_CONTROL_SECRET: 'control-secret-for-tests',
    DATA_ENCRYPTION_KEY: key,
    NUMBER_HASH_KEY: key,
  };
}, 60_000);
afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
});

/** Runs the worker until it ends by itself. */
function run(env: Record<string, string | undefined>): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], { env, cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stderr }));
  });
}

test('worker ends with 78 and names every key that is missing or bad, and no value', async () => {
  const { code, stderr } = await run({ ...good, APP_ENV: 'dream', MEDIA_CONTROL_SECRET: undefined, NUMBER_HASH_KEY: 'c2hvcnQ=' });
  expect(code).toBe(78);
  for (const part of ['APP_ENV (not valid)', 'MEDIA_CONTROL_SECRET (missing)', 'NUMBER_HASH_KEY (not valid)'])
    expect(stderr).toContain(part);
  expect(stderr).not.toMatch(/dream|c2hvcnQ=/);
});

test('worker ends with 69 and says so when PostgreSQL cannot be reached', async () => {
  const { code, stderr } = await run({ ...good, DATABASE_URL: 'postgres://app:very-secret@127.0.0.1:1/holdfast' });
  expect(code).toBe(69);
  expect(stderr).toContain('PostgreSQL cannot be reached at 127.0.0.1:1 (DATABASE_URL)');
  expect(stderr).not.toContain('very-secret');
});

test('worker ends with 69 when the database was never migrated', async () => {
  await using empty = await createTestDatabase();
  const { code, stderr } = await run({ ...good, DATABASE_URL: empty.appUrl });
  expect(code).toBe(69);
  expect(stderr).toContain('run the migrations first');
});

test('worker ends with 69 and says so when Redis cannot be reached', async () => {
  const { code, stderr } = await run({ ...good, REDIS_URL: 'redis://:very-secret@127.0.0.1:1' });
  expect(code).toBe(69);
  expect(stderr).toContain('Redis cannot be reached at 127.0.0.1:1 (REDIS_URL)');
  expect(stderr).not.toContain('very-secret');
});

test.each([
  ['127.0.0.1:1', 'default'],
  ['', 'no-such-namespace'],
])('startCallWorker gives up on Temporal at "%s", namespace "%s"', async (address, namespace) => {
  const temporal = { address: address || sharedParts().temporal.address, namespace, taskQueue: 'nobody' };
  const logger = createLogger({ process: 'test', level: 'silent' });
  const worker = startCallWorker({ temporal, activities: {} as Activities, dataConverter: {}, logger, connectWithinMs: 300 });
  await expect(worker).rejects.toMatchObject({ code: 'dependency_unavailable', message: expect.stringContaining('TEMPORAL_ADDRESS') });
});

/** The api and migrate processes as an operator meets them: what they say when they cannot start, and how they live on. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../setup/stack/ports.ts';
import { startChild, type Child } from '../../setup/stack/child.ts';
import { startRedis } from '../../setup/stack/redis.ts';
import type { Health } from '../../src/contracts/rest-service.ts';
import { putNode } from '../../src/media/registry.ts';
import { INBOUND_WEBHOOK_PATH } from '../../src/contracts/telephony-webhook.ts';
import { migrations } from '../../src/db/migrations/list.ts';
import { Database } from '../../src/db/tenant-scope.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { NumberVault } from '../../src/services/number-vault.ts';
import { seedDemo, type Demo } from '../../src/services/seed.ts';
import { ask, WEBHOOK_SECRET, type Answer } from '../support/api-server.ts';
import { talkUntilHangup } from '../support/call-scripts.ts';
import { migratedDatabase } from '../support/database.ts';
import { binary, runToEnd } from '../support/process-run.ts';
import { CONTROL_SECRET, ScriptedMediaNode } from '../support/scripted-media-node.ts';
import { createTestDatabase, sharedParts, type TestDatabase } from '../support/stack.ts';
import { startTcpGate, type TcpGate } from '../support/tcp-gate.ts';

const parts = new AsyncDisposableStack();
const keys = { encryption: randomBytes(32), numberHash: randomBytes(32) };
let dir: string;
let database: TestDatabase;
let redisUrl: string;
let gates: { postgres: TcpGate; redis: TcpGate; temporal: TcpGate };
let env: Record<string, string>;
let demo: Demo;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-api-'));
  parts.defer(() => rm(dir, { recursive: true, force: true }));
  database = parts.use(await migratedDatabase());
  const redis = parts.use(await startRedis({ parts: sharedParts().parts, dir, logFile: join(dir, 'redis.log'), port: 0 }));
  redisUrl = redis.url;
  gates = {
    postgres: await gateTo(database.appUrl),
    redis: await gateTo(redisUrl),
    temporal: await gateTo(`tcp://${sharedParts().temporal.address}`),
  };
  env = {
    APP_ENV: 'development',
    DATABASE_URL: through(gates.postgres, database.appUrl),
    REDIS_URL: through(gates.redis, redisUrl),
    TEMPORAL_ADDRESS: `127.0.0.1:${gates.temporal.port}`,
    TEMPORAL_TASK_QUEUE: `api-${randomBytes(4).toString('hex')}`,
    TELEPHONY_WEBHOOK_SECRET: WEBHOOK_SECRET,
    MEDIA_CONTROL_SECRET: CONTROL_SECRET,
    DATA_ENCRYPTION_KEY: keys.encryption.toString('base64'),
    NUMBER_HASH_KEY: keys.numberHash.toString('base64'),
    API_PORT: String(await freePort()),
  };
  const db = parts.use(await Database.open({ url: database.appUrl }));
  demo = await seedDemo({ db, vault: new NumberVault(keys) });
});
afterAll(async () => {
  await parts.disposeAsync();
});

async function gateTo(url: string): Promise<TcpGate> {
  const { hostname, port } = new URL(url);
  return parts.use(await startTcpGate({ host: hostname, port: Number(port) }));
}

function through(gate: TcpGate, url: string): string {
  const changed = new URL(url);
  changed.hostname = '127.0.0.1';
  changed.port = String(gate.port);
  return changed.href;
}

describe('a process that cannot start', () => {
  test('78 names every missing or bad key, never a value', async () => {
    const { code, stderr } = await runToEnd('api', { APP_ENV: 'testing', API_PORT: 'http', REDIS_URL: 'redis://u:hunter2@' });
    expect(code).toBe(78);
    for (const key of ['APP_ENV', 'API_PORT', 'DATABASE_URL', 'TELEPHONY_WEBHOOK_SECRET', 'DATA_ENCRYPTION_KEY', 'NUMBER_HASH_KEY'])
      expect(stderr).toContain(key);
    expect(stderr).not.toMatch(/testing|hunter2|http\b/);
  });

  test.each([
    ['PostgreSQL', () => ({ DATABASE_URL: 'postgresql://app:hunter2@127.0.0.1:1/holdfast' })],
    ['PostgreSQL', () => ({ DATABASE_URL: env['DATABASE_URL']?.replace(/:[^:@]+@/, ':hunter2@') ?? '' })],
    ['Redis', () => ({ REDIS_URL: 'redis://:hunter2@127.0.0.1:1' })],
    ['Temporal', () => ({ TEMPORAL_NAMESPACE: 'not-there' })],
  ])('69 says that it was %s', async (name, change) => {
    const { code, stderr } = await runToEnd('api', { ...env, LOG_LEVEL: 'silent', ...change() });
    expect([code, stderr.split('\n').filter(Boolean)]).toEqual([69, [expect.stringMatching(new RegExp(`^api: ${name}`))]]);
    expect(stderr).not.toContain('hunter2');
  });

  test('69 asks for the migrations when there are no tables', async () => {
    await using empty = await createTestDatabase();
    const { code, stderr } = await runToEnd('api', { ...env, DATABASE_URL: empty.appUrl });
    expect([code, stderr]).toEqual([69, expect.stringContaining('npm run migrate')]);
  });
});

describe('migrate', () => {
  const settings = (url: string): Record<string, string> => ({ APP_ENV: 'development', DATABASE_URL: url });

  test('goes up, finds nothing more to do, goes down', async () => {
    await using empty = await createTestDatabase();
    const run = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, stdout } = await runToEnd('migrate', settings(empty.ownerUrl), { args });
      return [code, stdout.trim()];
    };
    expect(await run()).toEqual([0, `up: ${migrations.map(({ name }) => name).join(', ')}`]);
    expect(await run('up')).toEqual([0, 'Nothing to migrate.']);
    expect(await run('down')).toEqual([0, `down: ${migrations.at(-1)?.name}`]);
    expect((await runToEnd('migrate', settings(empty.ownerUrl), { args: ['sideways'] })).code).toBe(64);
  });

  test('69 when PostgreSQL is away, 78 without settings, and no password in sight', async () => {
    const away = await runToEnd('migrate', settings('postgresql://owner:hunter2@127.0.0.1:1/holdfast'));
    expect([away.code, away.stderr]).toEqual([69, expect.stringContaining('127.0.0.1:1')]);
    expect(away.stderr).not.toContain('hunter2');
    expect((await runToEnd('migrate', {})).code).toBe(78);
  });
});

describe('a running api', () => {
  let api: Child;
  let url: string;

  beforeAll(async () => {
    url = `http://127.0.0.1:${env['API_PORT']}`;
    api = await start('api', env);
  });

  async function start(name: string, settings: Record<string, string>, log = name): Promise<Child> {
    const logFile = join(dir, `${log}.log`);
    return parts.use(
      await startChild({
        name,
        command: [process.execPath, binary(name)],
        env: { PATH: process.env['PATH'] ?? '', ...settings },
        cwd: dir,
        logFile,
        ready: async () => (await readFile(logFile, 'utf8')).includes('"event":"started"'),
      }),
    );
  }

  const health = (): Promise<Answer<Health>> => ask<Health>(`${url}/healthz`);
  const down = ({ dependencies }: Health): string[] =>
    Object.entries(dependencies)
      .filter(([, state]) => state.status === 'down')
      .map(([name]) => name);

  async function healthy(): Promise<Health> {
    for (let tries = 0; tries < 50; tries++) {
      const { status, body } = await health();
      if (status === 200) return body;
      await sleep(200);
    }
    throw new Error('the API did not become healthy again');
  }

  test.each(['postgres', 'redis', 'temporal'] as const)('stays up when %s goes away, says so, and recovers', async (name) => {
    await healthy();
    await gates[name].shut();
    const { status, body } = await health();
    expect([status, body.status, down(body)]).toEqual([503, 'unavailable', [name]]);
    if (name === 'postgres')
      expect(await ask(`${url}/api/tenants`)).toMatchObject({ status: 503, body: { code: 'dependency_unavailable' } });
    await gates[name].open();
    expect((await healthy()).status).toBe('ok');
    expect(api.running).toBe(true);
  });

  function announce(callId: string): Promise<Answer> {
    const body = {
      caller_number: '+12025550199',
      called_number: demo.did,
      call_id: callId,
      timestamp: Math.floor(Date.now() / 1_000),
      channel_id: '1.1',
    };
    return ask(`${url}${INBOUND_WEBHOOK_PATH}`, { method: 'POST', body, headers: { authorization: `Bearer ${WEBHOOK_SECRET}` } });
  }

  test('without a worker the API decides about a call itself, by the same rules', async () => {
    expect(await announce(`pbx-${randomUUID()}`)).toMatchObject({ status: 200, body: { status: 'no_capacity' } });
  });

  test('without Temporal as well', async () => {
    await gates.temporal.shut();
    const answer = await announce(`pbx-${randomUUID()}`);
    await gates.temporal.open();
    expect(answer).toMatchObject({ status: 200, body: { status: 'no_capacity' } });
    await healthy();
  });

  test('without Temporal and PostgreSQL a call is not admitted: 503, so that the dialplan helps itself', async () => {
    await gates.temporal.shut();
    await gates.postgres.shut();
    const answer = await announce(`pbx-${randomUUID()}`);
    await gates.temporal.open();
    await gates.postgres.open();
    expect(answer).toMatchObject({ status: 503, body: { code: 'dependency_unavailable' } });
    await healthy();
  });

  test('starts while Temporal is away', async () => {
    await gates.temporal.shut();
    const port = await freePort();
    const second = await start('api', { ...env, API_PORT: String(port) }, 'api-2');
    expect((await ask<Health>(`http://127.0.0.1:${port}/healthz`)).body.dependencies).toMatchObject({ temporal: { status: 'down' } });
    await gates.temporal.open();
    await second.stop();
    await healthy();
  });

  test('admits calls through Temporal, once each, and hangs them up', async () => {
    await start('worker', env);
    await using node = await ScriptedMediaNode.start(talkUntilHangup);
    const redis = await connectRedis(redisUrl);
    await putNode(redis, node.node, 600_000);
    redis.disconnect();
    await healthy();

    const callId = `pbx-${randomUUID()}`;
    const answers = await Promise.all([announce(callId), announce(callId), announce(callId)]);
    expect(answers[0]).toMatchObject({ status: 200, body: { status: 'accepted', tenant_id: demo.tenantId, media_app: node.node.app } });
    for (const answer of answers) expect([answer.status, answer.body]).toEqual([200, answers[0]?.body]);

    const call = `${url}/api/tenants/${demo.tenantId}/calls/${String(answers[0]?.body['call_record_id'])}`;
    expect((await ask(`${call}/hangup`, { method: 'POST' })).status).toBe(202);
    const ended = await until(call, (body) => body['disposition'] !== null);
    expect(ended).toMatchObject({ status: 'completed', disposition: 'operator_hangup' });
    expect((await ask(`${call}/hangup`, { method: 'POST' })).status).toBe(409);
    // Sent once more after the end, the webhook gets the answer of then.
    expect((await announce(callId)).body).toEqual(answers[0]?.body);
    // Nothing that an operator can read in the logs tells who called.
    const logs = await Promise.all(['api', 'worker'].map((name) => readFile(join(dir, `${name}.log`), 'utf8')));
    expect(logs.join('\n')).not.toMatch(/5550199|5550143/);
  });

  async function until(path: string, done: (body: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (let tries = 0; tries < 100; tries++) {
      const { body } = await ask(path);
      if (done(body)) return body;
      await sleep(100);
    }
    throw new Error('the call did not end');
  }

  test('SIGTERM ends it cleanly', async () => {
    await healthy();
    process.kill(api.pid, 'SIGTERM');
    expect(await api.exited).toBe(0);
  });
});

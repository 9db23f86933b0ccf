/** PostgreSQL, Redis or the API going away: a process that cannot start says why; a call goes on. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { phraseText } from '../../src/media/phrases.ts';
import { freePort } from '../../setup/stack/ports.ts';
import { startCallStack, type CallStack } from '../support/call-stack.ts';
import { createTestDatabase, sharedParts, type TestDatabase } from '../support/stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { promptPlayed, SAME_WORDS } from '../support/words-heard.ts';
import { startTcpGate, type TcpGate } from '../support/tcp-gate.ts';

const TIMEOUT_MS = 120_000;

let database: TestDatabase;
let postgres: TcpGate;
let redis: TcpGate;
let calls: CallStack;

const through = (url: string, gate: TcpGate): string => Object.assign(new URL(url), { host: `127.0.0.1:${gate.port}` }).href;
const gateTo = (url: string): Promise<TcpGate> => startTcpGate({ host: new URL(url).hostname, port: Number(new URL(url).port) });

beforeAll(async () => {
  database = await createTestDatabase();
  postgres = await gateTo(database.appUrl);
  redis = await gateTo(sharedParts().redisUrl);
  const key = (): string => randomBytes(32).toString('base64');
  calls = await startCallStack({
    settings: { DATA_ENCRYPTION_KEY: key(), NUMBER_HASH_KEY: key() },
    external: {
      database: { appUrl: through(database.appUrl, postgres), ownerUrl: through(database.ownerUrl, postgres) },
      redisUrl: through(sharedParts().redisUrl, redis),
    },
  });
}, TIMEOUT_MS);

afterAll(async () => {
  await calls?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
}, TIMEOUT_MS);

describe('a process that cannot start', () => {
  /** Of BSD's sysexits: configuration error, service unavailable. */
  const exits = { config: 78, unavailable: 69 };

  async function startAlone(name: string, changes: Readonly<Record<string, string>>): Promise<{ code: number | null; said: string }> {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...calls.stack.env, ...changes };
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/bin', `${name}.ts`)], {
      env,
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (text: string) => (said += text));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, said };
  }

  it.each([
    ['api', 'DATABASE_URL', 'PostgreSQL'],
    ['worker', 'DATABASE_URL', 'PostgreSQL'],
    ['api', 'REDIS_URL', 'Redis'],
    ['worker', 'REDIS_URL', 'Redis'],
    ['media', 'REDIS_URL', 'Redis'],
  ])(
    '%s with a %s that refuses names it, and its exit code says unavailable',
    async (name, key, part) => {
      const port = await freePort();
      const url = Object.assign(new URL(calls.stack.env[key] ?? ''), { host: `127.0.0.1:${port}` });
      const { code, said } = await startAlone(name, { [key]: url.href });
      expect({ code, said }).toEqual({
        code: exits.unavailable,
        said: expect.stringMatching(`^${name}: ${part} cannot be \\w+ at 127\\.0\\.0\\.1:${port} \\(${key}\\)`),
      });
      expect(said).not.toMatch(/\n\s+at /);
      if (url.password !== '') expect(said).not.toContain(url.password);
    },
    TIMEOUT_MS,
  );

  it(
    'names every key that is missing or not valid, and never a value',
    async () => {
      const { code, said } = await startAlone('media', {
        APP_ENV: 'sandbox-value',
        DATABASE_URL: '',
        MAX_CONVERSATION_TURNS: 'many-value',
      });
      expect(code).toBe(exits.config);
      for (const key of ['APP_ENV (not valid)', 'DATABASE_URL (missing)', 'MAX_CONVERSATION_TURNS (not valid)'])
        expect(said).toContain(key);
      expect(said).not.toContain('-value');
    },
    TIMEOUT_MS,
  );
});

it(
  'goes on with a call while PostgreSQL and Redis refuse connections, and writes everything afterwards',
  async () => {
    const lines: string[] = [];
    const dialled = await calls.dial({
      script: [
        { do: 'hear', what: 'a greeting', expect: /help/i },
        { do: 'say', text: 'what are your opening hours' },
        // Nothing can be read from the API now: the voice alone tells that the agent answers.
        { do: 'hear', what: 'an answer' },
        { do: 'say', text: 'no that is everything thank you goodbye' },
        { do: 'await_hangup', timeoutMs: 60_000 },
      ],
      onMoment: (moment) => {
        if (moment.kind !== 'say') return;
        lines.push(moment.text);
        if (lines.length === 1) void Promise.all([postgres.shut(), redis.shut()]);
        if (lines.length === 2) void Promise.all([postgres.open(), redis.open()]);
      },
    });
    expect(dialled.failure).toBeNull();
    const record = await dialled.record();
    expect(record).toMatchObject({ status: 'completed', disposition: 'completed' });
    const texts = record.turns.map((turn) => turn.text);
    expect(texts).toContain('what are your opening hours');
    expect(texts).not.toContain(phraseText.error_goodbye);
    expect(record.turns.map((turn) => turn.sequence)).toEqual(record.turns.map((_, i) => i));
  },
  TIMEOUT_MS,
);

it(
  'apologises to the caller when the webhook does not answer, and closes what arrives late',
  async () => {
    const { api } = calls.stack.pids();
    if (api === undefined) throw new Error('the API does not run');
    process.kill(api, 'SIGSTOP');
    let dialled;
    try {
      dialled = await calls.dial({ script: [{ do: 'await_hangup', timeoutMs: 40_000 }] });
    } finally {
      process.kill(api, 'SIGCONT');
    }
    const heard = await dialled.heard();
    expect(await promptPlayed(heard, calls, 'technical-problem')).toBeGreaterThan(SAME_WORDS);
    expect(await promptPlayed(heard, calls, 'call-again')).toBeGreaterThan(SAME_WORDS);
  },
  TIMEOUT_MS,
);

it(
  'leaves nothing behind',
  async () => {
    await assertNothingLeft(calls);
    const { items } = await calls.api<{ items: { disposition: string | null }[] }>('GET', `/tenants/${calls.stack.demo.tenantId}/calls`);
    expect(items.map((call) => call.disposition)).not.toContain(null);
  },
  TIMEOUT_MS,
);

import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parseDevOptions } from '../../setup/dev/options.ts';
import { environmentFile, generateSecrets, processEnvironment } from '../../setup/stack/environment.ts';
import { externalParts } from '../../setup/stack/external.ts';
import { holdfastProcesses } from '../../setup/stack/holdfast-processes.ts';
import { withKeptKeys } from '../../setup/stack/kept-keys.ts';
import { loadConfig } from '../../src/config.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-settings-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stderr: string;
}

/** In an empty directory, so that no .env is read. */
function start(name: string, env: Record<string, string>): Promise<Ended> {
  const entry = join(import.meta.dirname, '../../src/bin', `${name}.ts`);
  return new Promise((resolve) => {
    execFile(process.execPath, [entry], { cwd: dir, env: { PATH: process.env['PATH'] ?? '', ...env } }, (error, _stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr });
    });
  });
}

describe('a process without its settings', () => {
  test.each([
    ['api', ['APP_ENV', 'DATABASE_URL', 'DATA_ENCRYPTION_KEY', 'MEDIA_CONTROL_SECRET', 'NUMBER_HASH_KEY', 'TELEPHONY_WEBHOOK_SECRET']],
    ['worker', ['APP_ENV', 'DATABASE_URL', 'DATA_ENCRYPTION_KEY', 'MEDIA_CONTROL_SECRET', 'NUMBER_HASH_KEY']],
    ['media', ['APP_ENV', 'ARI_PASSWORD', 'ARI_USERNAME', 'DATABASE_URL', 'MEDIA_CONTROL_SECRET', 'OPENAI_API_KEY']],
    ['migrate', ['APP_ENV', 'DATABASE_URL']],
  ])('%s ends with code 78 and names every missing key', async (name, keys) => {
    const { code, stderr } = await start(name, {});
    expect(code).toBe(78);
    expect(stderr.match(/[A-Z][A-Z_]+(?= \()/g)).toEqual(keys);
  });

  test('a value that is not valid is named, never shown', async () => {
    const env = {
      APP_ENV: 'moon-base-7',
      DATABASE_URL: 'mysql://root:hunter2@db/holdfast',
      DATA_ENCRYPTION_KEY: 'tooshort-s3cret',
      TELEPHONY_WEBHOOK_SECRET: 'short-s3cret',
    };
    const { code, stderr } = await start('api', env);
    expect(code).toBe(78);
    for (const key of Object.keys(env)) expect(stderr).toContain(`${key} (not valid)`);
    expect(stderr).toContain('NUMBER_HASH_KEY (missing)');
    expect(stderr).not.toMatch(/hunter2|moon-base|s3cret|mysql/);
  });
});

describe('AI_FALLBACKS', () => {
  const env = { APP_ENV: 'development', DATABASE_URL: 'postgresql://db/holdfast' };
  const second = { name: 'second', base_url: 'https://ai.example/v1', api_key: 'k', llm_model: 'llama' };
  const configured = (...entries: object[]) => loadConfig({ ...env, AI_FALLBACKS: JSON.stringify(entries) }, 'migrate').aiFallbacks;

  test('is a list of providers, each for the stages that it has a model for', () => {
    expect(loadConfig(env, 'migrate').aiFallbacks).toEqual([]);
    expect(configured(second)).toEqual([
      { name: 'second', apiKey: 'k', baseUrl: 'https://ai.example/v1', models: { stt: null, llm: 'llama', tts: null, voice: null } },
    ]);
  });

  test.each([
    ['no JSON', '[{'],
    ['no list', '{}'],
    ['an unknown key', JSON.stringify([{ ...second, modle: 'llama' }])],
    ['two of one name', JSON.stringify([second, second])],
    ['the name of the first provider', JSON.stringify([{ ...second, name: 'primary' }])],
    ['a model of speech without its voice', JSON.stringify([{ ...second, tts_model: 'tts-1' }])],
  ])('refuses %s, and does not show it', (_, text) => {
    expect(() => loadConfig({ ...env, AI_FALLBACKS: text }, 'migrate')).toThrow('Configuration is not usable: AI_FALLBACKS (not valid)');
  });
});

const addresses = {
  databaseUrl: 'postgresql://holdfast_app:x@127.0.0.1:5432/holdfast',
  redisUrl: 'redis://127.0.0.1:6379',
  apiPort: 8080,
  openai: { apiKey: 'embedded', baseUrl: 'http://127.0.0.1:8090/v1' },
  ari: { url: 'http://127.0.0.1:8088', username: 'holdfast', password: 'x' },
  temporal: { address: '127.0.0.1:7233', namespace: 'default', uiUrl: 'http://127.0.0.1:8233' },
};

describe('TWILIO_…', () => {
  const env = { ...processEnvironment(addresses, generateSecrets(), {}) };
  const account = {
    TWILIO_AUTH_TOKEN: '0123456789abcdef',
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_PUBLIC_URL: 'https://calls.example.com',
  };

  test('is off without the token, and whole with it', () => {
    expect(loadConfig(env, 'media').twilio).toBeNull();
    expect(() => loadConfig({ ...env, TWILIO_AUTH_TOKEN: account.TWILIO_AUTH_TOKEN }, 'media')).toThrow(
      'TWILIO_ACCOUNT_SID (missing), TWILIO_PUBLIC_URL (missing), TWILIO_STREAM_URL (missing)',
    );
    expect(loadConfig({ ...env, ...account }, 'api').twilio).toMatchObject({ publicUrl: 'https://calls.example.com' });
    expect(loadConfig({ ...env, ...account }, 'worker').twilio).not.toBeNull();
  });

  test.each(['https://media-1.example.com', 'wss://media-1.example.com/', 'wss://media-1.example.com/?a=b'])(
    'takes no %s for streams',
    (url) => {
      expect(() => loadConfig({ ...env, ...account, TWILIO_STREAM_URL: url }, 'media')).toThrow('TWILIO_STREAM_URL (not valid)');
    },
  );
});

describe('processEnvironment', () => {
  test.each(['api', 'worker', 'media', 'migrate'] as const)('is all that %s needs', (name) => {
    expect(() => loadConfig(processEnvironment(addresses, generateSecrets(), {}), name)).not.toThrow();
  });

  test('what the user has set wins over what was generated, not over where things are', () => {
    const env = processEnvironment(addresses, generateSecrets(), {
      LLM_MODEL: 'llama',
      TELEPHONY_WEBHOOK_SECRET: 'mine-mine-mine-mine',
      API_PORT: '1',
    });
    expect(env).toMatchObject({ LLM_MODEL: 'llama', TELEPHONY_WEBHOOK_SECRET: 'mine-mine-mine-mine', API_PORT: '8080' });
  });

  test('survives the way through a file', () => {
    const env = processEnvironment(addresses, generateSecrets(), {
      APP_NAME: 'two words # and a hash',
      AI_FALLBACKS: '[{"name":"second","base_url":"https://ai.example/v1","api_key":"a#b"}]',
    });
    expect(parseEnv(environmentFile(env))).toEqual(env);
  });
});

describe('holdfastProcesses', () => {
  test('the first of a kind has the plain name, and each media node its own id and control port', () => {
    const all = holdfastProcesses({ workers: 2, mediaControlPorts: [4001, 4002] });
    expect(all.map(({ name, program }) => [name, program])).toEqual([
      ['api', 'api'],
      ['worker', 'worker'],
      ['worker2', 'worker'],
      ['media', 'media'],
      ['media2', 'media'],
    ]);
    expect(all.slice(3).map(({ env }) => [env['MEDIA_NODE_ID'], env['MEDIA_CONTROL_PORT']])).toEqual([
      ['media-1', '4001'],
      ['media-2', '4002'],
    ]);
  });
});

describe('externalParts', () => {
  test('nothing set, or set to nothing, means everything embedded', () => {
    expect(externalParts({ DATABASE_URL: '', REDIS_URL: '' })).toEqual({});
  });

  test('an Asterisk that is only half described is refused', () => {
    expect(() => externalParts({ ARI_URL: 'http://pbx:8088' })).toThrow('ARI_USERNAME');
  });

  test('takes what is set', () => {
    const found = externalParts({
      DATABASE_URL: 'postgresql://a@db/x',
      TEMPORAL_ADDRESS: 'temporal:7233',
      ARI_URL: 'http://pbx:8088',
      ARI_USERNAME: 'u',
      ARI_PASSWORD: 'p',
    });
    expect(found).toEqual({
      database: { appUrl: 'postgresql://a@db/x', ownerUrl: 'postgresql://a@db/x' },
      temporal: { address: 'temporal:7233', namespace: 'default', uiUrl: 'http://temporal:8233' },
      ari: { url: 'http://pbx:8088', username: 'u', password: 'p', sip: 'pbx:5060' },
    });
  });
});

describe('withKeptKeys', () => {
  test('a database that outlives the run gets the same keys the next time', async () => {
    const file = join(dir, 'kept/keys.json');
    const first = await withKeptKeys(generateSecrets(), file);
    const second = await withKeptKeys(generateSecrets(), file);
    expect(second.dataEncryptionKey).toBe(first.dataEncryptionKey);
    expect(second.numberHashKey).toBe(first.numberHashKey);
    expect(second.webhook).not.toBe(first.webhook);
  });
});

describe('parseDevOptions', () => {
  test('one call and staying up is the default', () => {
    expect(parseDevOptions([], '/here')).toEqual({ once: false, jsonFile: null, calls: 1 });
  });

  test('the file is relative to where the command was given', () => {
    expect(parseDevOptions(['--once', '--json', 'out/s.json', '--calls', '20'], '/here')).toEqual({
      once: true,
      jsonFile: '/here/out/s.json',
      calls: 20,
    });
    expect(parseDevOptions(['--no-call'], '/here')).toMatchObject({ calls: 0 });
  });

  test.each([
    [['--calls', '0']],
    [['--calls', 'many']],
    [['--calls', '2.5']],
    [['--no-call', '--once']],
    [['--no-call', '--calls', '2']],
    [['--json', '']],
    [['--unknown']],
    [['call']],
  ])('refuses %j', (args) => {
    expect(() => parseDevOptions(args, '/here')).toThrow();
  });
});

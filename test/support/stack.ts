/**
 * What a test reads to reach the shared real parts. They run for the whole of `npm test`; a test
 * file makes what it needs inside them (a database, a task queue, a key prefix) and removes it.
 */
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Parts } from '../../setup/stack/parts.ts';

export interface SharedParts {
  readonly parts: Parts;
  readonly database: {
    /** Superuser, database `postgres`. */
    readonly adminUrl: string;
    /** Owner of the tables of a database. */
    readonly ownerUrl: string;
    /** The role of api and worker: owns nothing. */
    readonly appUrl: string;
  };
  readonly redisUrl: string;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly uiUrl: string };
  /** The embedded AI server, as OPENAI_BASE_URL and OPENAI_API_KEY. */
  readonly openai: { readonly baseUrl: string; readonly apiKey: string };
  readonly logsDir: string;
}

let read: SharedParts | undefined;

/** @throws when Jest was started without the native parts: use npm test, or node setup/run.mjs exec npx jest … */
export function sharedParts(): SharedParts {
  if (read !== undefined) return read;
  const file = process.env['HOLDFAST_TEST_STACK'];
  if (file === undefined)
    throw new Error('This test needs the real parts: run npm test -- <pattern>, or node setup/run.mjs exec npx jest <pattern>');
  read = JSON.parse(readFileSync(file, 'utf8')) as SharedParts;
  return read;
}

export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly ownerUrl: string;
  readonly appUrl: string;
}

/** An empty database (or a clone of `template`) of its own, owned by the owner role; dropped at dispose, whoever is still connected. */
export async function createTestDatabase(template?: string): Promise<TestDatabase> {
  const { database } = sharedParts();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(`CREATE DATABASE ${name} OWNER holdfast_owner${template === undefined ? '' : ` TEMPLATE ${template}`}`);
  return {
    name,
    ownerUrl: withDatabase(database.ownerUrl, name),
    appUrl: withDatabase(database.appUrl, name),
    [Symbol.asyncDispose]: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: sharedParts().database.adminUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

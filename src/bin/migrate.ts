/** Runs the pending migrations as the tables' owner: `node src/bin/migrate.ts`; `down` takes the newest one back. */
import { existsSync } from 'node:fs';
import { loadConfig, type Config } from '../config.ts';
import { databaseError } from '../db/database-errors.ts';
import { migrateDown, migrateUp } from '../db/migrate.ts';
import { HoldfastError } from '../domain/errors.ts';

if (existsSync('.env')) process.loadEnvFile('.env');
const config = readConfig();
const [direction = 'up'] = process.argv.slice(2);
if (direction !== 'up' && direction !== 'down') exit(64, 'use: migrate [up|down]');
try {
  const done = await (direction === 'up' ? migrateUp : migrateDown)({ url: config.databaseOwnerUrl });
  process.stdout.write(done.length === 0 ? 'Nothing to migrate.\n' : `${direction}: ${done.join(', ')}\n`);
} catch (thrown) {
  const error = databaseError(thrown);
  const unavailable = error instanceof HoldfastError && error.code === 'dependency_unavailable';
  const where = new URL(config.databaseOwnerUrl).host;
  if (unavailable) exit(69, `PostgreSQL cannot be reached at ${where} (DATABASE_OWNER_URL, or DATABASE_URL)`);
  exit(1, error instanceof Error ? error.message : String(error));
}

function readConfig(): Config {
  try {
    return loadConfig(process.env, 'migrate');
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'config_invalid') exit(78, error.message);
    throw error;
  }
}

function exit(code: number, message: string): never {
  process.stderr.write(`migrate: ${message}\n`);
  process.exit(code);
}

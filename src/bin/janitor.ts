/**
 * npm run janitor: compares PBX, media nodes, Temporal, PostgreSQL and Redis now, repairs what is
 * broken for certain, and prints the report as JSON. Exit code 1 when something was found.
 */
import { existsSync } from 'node:fs';
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { encryptedDataConverter } from '../../temporal/data-converter.ts';
import { runJanitor } from '../../temporal/janitor-schedule.ts';
import { loadConfig, type Config } from '../config.ts';
import { HoldfastError } from '../domain/errors.ts';

const CONNECT_TIMEOUT_MS = 5_000;

if (existsSync('.env')) process.loadEnvFile('.env');
const { temporal, keys } = readConfig();
const { address, namespace, taskQueue } = temporal;
const connection = await Connection.connect({ address, connectTimeout: CONNECT_TIMEOUT_MS }).catch(() =>
  exit(69, `Temporal cannot be reached at ${address} (TEMPORAL_ADDRESS)`),
);
try {
  const client = new Client({ connection, namespace, dataConverter: encryptedDataConverter(keys) });
  const report = await runJanitor({ client, taskQueue });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.found.length === 0 ? 0 : 1;
} catch (error) {
  if (error instanceof ScheduleNotFoundError) exit(69, `No worker has started on task queue ${taskQueue} yet (TEMPORAL_TASK_QUEUE)`);
  throw error;
} finally {
  await connection.close();
}

function readConfig(): Config {
  try {
    return loadConfig(process.env, 'janitor');
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'config_invalid') exit(78, error.message);
    throw error;
  }
}

function exit(code: number, message: string): never {
  process.stderr.write(`janitor: ${message}\n`);
  process.exit(code);
}

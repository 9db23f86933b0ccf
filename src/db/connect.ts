import { HoldfastError } from '../domain/errors.ts';
import type { OrmOptions } from './orm.ts';
import { Database } from './tenant-scope.ts';

/**
 * A database that answers and has been migrated; afterwards it may go away and come back.
 * @throws HoldfastError dependency_unavailable naming host and reason, never user or password.
 */
export async function connectDatabase(options: OrmOptions): Promise<Database> {
  const db = await Database.open(options);
  try {
    if (await db.isMigrated()) return db;
  } catch (cause) {
    await db[Symbol.asyncDispose]();
    const message = `PostgreSQL cannot be used at ${new URL(options.url).host} (DATABASE_URL): ${reasonOf(cause)}`;
    throw new HoldfastError('dependency_unavailable', message, { retryable: true, cause });
  }
  await db[Symbol.asyncDispose]();
  throw new HoldfastError(
    'dependency_unavailable',
    `PostgreSQL at ${new URL(options.url).host} has no Holdfast tables: run the migrations (npm run migrate)`,
  );
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'the host is unknown',
  '28P01': 'the user or password is wrong',
  '28000': 'the user may not connect',
  '3D000': 'the database does not exist',
};

function reasonOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
    const reason = reasons[code];
    if (reason !== undefined) return reason;
  }
  return 'no answer in time';
}

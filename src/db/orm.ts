/** MikroORM over the entities. Everything else reaches the database through Database (tenant-scope.ts). */
import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, MikroORM, type Options } from '@mikro-orm/postgresql';
import { AIProfile } from './entities/ai-profile.ts';
import { Booking } from './entities/booking.ts';
import { CallTurn } from './entities/call-turn.ts';
import { Call } from './entities/call.ts';
import { PhoneNumber } from './entities/phone-number.ts';
import { Tenant } from './entities/tenant.ts';
import { ToolRun } from './entities/tool-run.ts';
import { discardLostConnections, type WatchedPool } from './lost-connections.ts';
import { migrations } from './migrations/list.ts';

export interface OrmOptions {
  readonly url: string;
  readonly poolMax?: number;
  /** Bounds reaching the server and every statement, so that no call waits on a dead database. */
  readonly connectTimeoutMs?: number;
  readonly statementTimeoutMs?: number;
}

const IDLE_IN_TRANSACTION_MS = 15_000;
const LOCK_TIMEOUT_MS = 5_000;

export function ormConfig(options: OrmOptions): Options {
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
  const answerTimeoutMs = statementTimeoutMs + 1_000;
  return defineConfig({
    clientUrl: options.url,
    entities: [Tenant, AIProfile, PhoneNumber, Call, CallTurn, Booking, ToolRun],
    extensions: [Migrator],
    // Names, not files: the same list works under type stripping, in Jest and from any directory.
    migrations: { migrationsList: migrations, snapshot: false, silent: true, tableName: 'schema_migrations', allOrNothing: true },
    // Migrations add the look-up function and the policies that only its owner has.
    schemaGenerator: { ignorePolicies: true, ignoreRoutines: true },
    forceUtcTimezone: true,
    pool: { min: 0, max: options.poolMax ?? 10 },
    driverOptions: {
      connectionTimeoutMillis: options.connectTimeoutMs ?? 3_000,
      statement_timeout: statementTimeoutMs,
      query_timeout: answerTimeoutMs,
      // A process that was frozen in the middle of a transaction must not hold its locks for ever.
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      application_name: 'holdfast',
      keepAlive: true,
      onPoolCreated: (pool: WatchedPool) => discardLostConnections(pool, answerTimeoutMs),
    },
  });
}

export const createOrm = (options: OrmOptions): Promise<MikroORM> => MikroORM.init(ormConfig(options));

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
      statement_timeout: options.statementTimeoutMs ?? 10_000,
      query_timeout: (options.statementTimeoutMs ?? 10_000) + 1_000,
      // A process that was frozen in the middle of a transaction must not hold its locks for ever.
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      application_name: 'holdfast',
      keepAlive: true,
    },
  });
}

export const createOrm = (options: OrmOptions): Promise<MikroORM> => MikroORM.init(ormConfig(options));

/**
 * The one way to run queries. Each scope is a transaction that carries its tenant twice: as the
 * parameter of the ORM's filter, and as the setting that PostgreSQL's row-level security reads.
 */
import type { MikroORM, SqlEntityManager } from '@mikro-orm/postgresql';
import { HoldfastError } from '../domain/errors.ts';
import type { TenantStatus } from '../domain/call.ts';
import { isUuid } from '../lib/uuid.ts';
import { PLATFORM_SETTING, TENANT_SETTING } from './entities/scope-settings.ts';
import { TENANT_FILTER } from './entities/tenant-owned.ts';
import { databaseError } from './database-errors.ts';
import { createOrm, type OrmOptions } from './orm.ts';

/** Queries of one scope. It lives as long as the work it was handed to. */
export type ScopedEntityManager = SqlEntityManager;

export interface DialledNumber {
  readonly phoneNumberId: string;
  readonly tenantId: string;
  readonly isActive: boolean;
  readonly tenantStatus: TenantStatus;
}

export class Database {
  readonly #orm: MikroORM;

  private constructor(orm: MikroORM) {
    this.#orm = orm;
  }

  /** Connects lazily: an unreachable server shows at the first query, or by `ping`. */
  static async open(options: OrmOptions): Promise<Database> {
    return new Database(await createOrm(options));
  }

  /** @throws HoldfastError tenant_scope_missing when the id is not a UUID; dependency_unavailable when PostgreSQL is gone. */
  async inTenant<T>(tenantId: string, work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
    if (!isUuid(tenantId)) throw new HoldfastError('tenant_scope_missing', 'A tenant scope needs the id of a tenant');
    return this.#inScope({ [TENANT_SETTING]: tenantId }, { tenantId: tenantId.toLowerCase() }, work);
  }

  /** Platform administration: the tenants table and nothing else. */
  async asPlatform<T>(work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
    return this.#inScope({ [PLATFORM_SETTING]: 'on' }, { platform: true }, work);
  }

  /**
   * Whose number was dialled, before any tenant is known. Null when nobody's, and when the readings
   * fit more than one number: a call is never put through to a guess.
   */
  async resolveDid(readings: readonly { readonly e164: string; readonly country: string | null }[]): Promise<DialledNumber | null> {
    if (readings.length === 0) return null;
    const rows = await this.#guarded(() =>
      this.#fresh().execute<{ phone_number_id: string; tenant_id: string; is_active: boolean; tenant_status: TenantStatus }[]>(
        'select * from resolve_did(?::text[], ?::text[])',
        [textArray(readings.map((reading) => reading.e164)), textArray(readings.map((reading) => reading.country))],
      ),
    );
    const [row] = rows;
    if (row === undefined || rows.length > 1) return null;
    return { phoneNumberId: row.phone_number_id, tenantId: row.tenant_id, isActive: row.is_active, tenantStatus: row.tenant_status };
  }

  /** @throws HoldfastError dependency_unavailable. */
  async ping(): Promise<void> {
    await this.#guarded(() => this.#fresh().execute('select 1'));
  }

  /** A database that was never migrated, or a role without its rights, answers false. */
  async isMigrated(): Promise<boolean> {
    const [row] = await this.#guarded(() =>
      this.#fresh().execute<{ found: boolean }[]>(`select to_regprocedure('resolve_did(text[], text[])') is not null as found`),
    );
    return row?.found === true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orm.close(true);
  }

  async #inScope<T>(
    variables: Record<string, string>,
    filter: Record<string, unknown>,
    work: (em: ScopedEntityManager) => Promise<T>,
  ): Promise<T> {
    const em = this.#fresh();
    em.setFilterParams(TENANT_FILTER, filter);
    em.setSessionContext({ variables });
    return this.#guarded(() => em.transactional((scoped) => work(scoped)));
  }

  /** From the root, never from the scope that may be around this call: its tenant would come along. */
  #fresh(): SqlEntityManager {
    return this.#orm.em.fork({ disableContextResolution: true });
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw databaseError(error);
    }
  }
}

/** PostgreSQL's text array literal. */
function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replaceAll(/["\\]/g, '\\$&')}"`)).join(',')}}`;
}

/** Platform administration of tenants. */
import type { Page, PageQuery } from '../contracts/rest.ts';
import type { CreateTenant, PatchTenant, TenantView } from '../contracts/rest-tenants.ts';
import { Tenant } from '../db/entities/tenant.ts';
import type { Database, ScopedEntityManager } from '../db/tenant-scope.ts';
import { HoldfastError } from '../domain/errors.ts';
import { defaultOpeningHours } from '../domain/opening-hours.ts';
import { readPage } from './keyset.ts';
import type { NumberVault } from './number-vault.ts';

export class Tenants {
  readonly #db: Database;
  readonly #vault: NumberVault;

  constructor(deps: { db: Database; vault: NumberVault }) {
    this.#db = deps.db;
    this.#vault = deps.vault;
  }

  async create(input: CreateTenant): Promise<TenantView> {
    return this.#db.asPlatform(async (em) => {
      const id = crypto.randomUUID();
      const { opening_hours, max_concurrent_calls, ...rest } = input;
      const tenant = em.create(Tenant, {
        ...rest,
        id,
        maxConcurrentCalls: max_concurrent_calls,
        openingHours: opening_hours ?? defaultOpeningHours,
        wrappedDataKey: this.#vault.newWrappedKey(id),
      });
      await em.flush();
      return tenantView(tenant);
    });
  }

  async list(query: PageQuery): Promise<Page<TenantView>> {
    return this.#db.asPlatform((em) =>
      readPage({ query, key: 'createdAt', direction: 'asc', find: ({ where, ...options }) => em.find(Tenant, where, options) }, tenantView),
    );
  }

  /** @throws HoldfastError not_found. */
  async get(tenantId: string): Promise<TenantView> {
    return this.#db.asPlatform(async (em) => tenantView(await this.#find(em, tenantId)));
  }

  /** @throws HoldfastError not_found; conflict for a deleted tenant, which stays deleted. */
  async patch(tenantId: string, changes: PatchTenant): Promise<TenantView> {
    return this.#db.asPlatform(async (em) => {
      const tenant = await this.#find(em, tenantId);
      if (tenant.status === 'deleted') throw new HoldfastError('conflict', 'A deleted tenant cannot be changed');
      const { opening_hours, max_concurrent_calls, ...rest } = changes;
      em.assign(tenant, withoutUndefined({ ...rest, openingHours: opening_hours, maxConcurrentCalls: max_concurrent_calls }));
      await em.flush();
      return tenantView(tenant);
    });
  }

  async #find(em: ScopedEntityManager, tenantId: string): Promise<Tenant> {
    const tenant = await em.findOne(Tenant, { id: tenantId });
    if (tenant === null) throw new HoldfastError('not_found', 'No such tenant');
    return tenant;
  }
}

/** In its own scope; for resources that live below a tenant. @throws HoldfastError not_found. */
export async function requireTenant(em: ScopedEntityManager, tenantId: string, options: { withKey?: boolean } = {}): Promise<Tenant> {
  const tenant = await em.findOne(Tenant, { id: tenantId }, options.withKey === true ? { populate: ['wrappedDataKey'] } : {});
  if (tenant === null) throw new HoldfastError('not_found', 'No such tenant');
  return tenant;
}

/** Fields that a patch does not name stay as they are. */
export function withoutUndefined<T extends object>(changes: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}

function tenantView(tenant: Tenant): TenantView {
  const { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = tenant.openingHours;
  const days = { monday, tuesday, wednesday, thursday, friday, saturday, sunday };
  return {
    id: tenant.id,
    name: tenant.name,
    status: tenant.status,
    plan: tenant.plan,
    max_concurrent_calls: tenant.maxConcurrentCalls ?? null,
    country: tenant.country,
    timezone: tenant.timezone,
    opening_hours: Object.fromEntries(Object.entries(days).map(([day, intervals]) => [day, [...intervals]])) as TenantView['opening_hours'],
    created_at: tenant.createdAt.toISOString(),
    updated_at: tenant.updatedAt.toISOString(),
  };
}

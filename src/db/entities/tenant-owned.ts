/**
 * What makes a table belong to tenants: the foreign key, the ORM's filter and PostgreSQL's row-level
 * security. The filter is the first net (it fails loudly), row-level security the one that holds.
 */
import { p, type PolicyDef } from '@mikro-orm/core';
import { HoldfastError } from '../../domain/errors.ts';
import { Tenant } from './tenant.ts';
import { CURRENT_TENANT_SQL } from './scope-settings.ts';

export const tenantOwnedProperties = {
  tenantId: () => p.manyToOne(Tenant).mapToPk().fieldName('tenant_id').deleteRule('cascade').updateRule('no action').index(),
};

/** Name of the filter that keeps every query inside the tenant of its scope. */
export const TENANT_FILTER = 'tenant';

export const tenantFilter = {
  [TENANT_FILTER]: {
    name: TENANT_FILTER,
    default: true,
    cond: (...[scope]: unknown[]) => ({ tenantId: tenantOf(scope) }),
  },
};

/**
 * Rows of another tenant can be neither seen nor written. Foreign keys do not obey row-level
 * security, so the rows referred to are looked up here, where they do.
 */
export function tenantPolicies(table: string, references: Readonly<Record<string, string>> = {}): PolicyDef[] {
  const owned = `tenant_id = ${CURRENT_TENANT_SQL}`;
  const visible = Object.entries(references).map(
    ([column, target]) => `(${table}.${column} is null or exists (select 1 from ${target} as target where target.id = ${table}.${column}))`,
  );
  return [{ name: `${table}_tenant`, using: owned, check: [owned, ...visible].join(' and ') }];
}

export function tenantOf(scope: unknown): string {
  if (typeof scope === 'object' && scope !== null && 'tenantId' in scope && typeof scope.tenantId === 'string') return scope.tenantId;
  throw new HoldfastError('tenant_scope_missing', 'This query needs the scope of a tenant: use Database.inTenant');
}

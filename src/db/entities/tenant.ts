import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { tenantPlans, tenantStatuses } from '../../domain/call.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { OpeningHours } from '../../domain/opening-hours.ts';
import { rowProperties } from './row.ts';
import { CURRENT_TENANT_SQL, PLATFORM_SQL } from './scope-settings.ts';

/** A business. Seen in its own scope, changed only by platform administration. */
export const Tenant = defineEntity({
  name: 'Tenant',
  tableName: 'tenants',
  properties: {
    ...rowProperties,
    name: p.string().length(200),
    status: p.enum(tenantStatuses).default('active'),
    plan: p.enum(tenantPlans).default('starter'),
    /** Null: what the plan gives (src/domain/call-lines.ts). */
    maxConcurrentCalls: p.integer().nullable(),
    /** ISO 3166-1 alpha-2: how its national phone numbers read. */
    country: p.string().length(2),
    /** IANA time zone of its opening hours and appointments. */
    timezone: p.string().length(64),
    openingHours: p.json<OpeningHours>(),
    /** Its data key, sealed under the platform's DATA_ENCRYPTION_KEY. */
    wrappedDataKey: p.blob().lazy(),
  },
  checks: [
    { name: 'tenants_name_not_blank', expression: `name ~ '[^[:space:]]'` },
    { name: 'tenants_max_concurrent_calls_positive', expression: 'max_concurrent_calls > 0' },
    { name: 'tenants_country_iso2', expression: `country ~ '^[A-Z]{2}$'` },
  ],
  filters: {
    tenant: { name: 'tenant', default: true, cond: (...[scope]: unknown[]) => ownRow(scope) },
  },
  rowLevelSecurity: 'force',
  policies: [
    { name: 'tenants_in_scope', command: 'select', using: `id = ${CURRENT_TENANT_SQL}` },
    { name: 'tenants_platform', using: PLATFORM_SQL, check: PLATFORM_SQL },
  ],
});
export type Tenant = InferEntity<typeof Tenant>;

function ownRow(scope: unknown): { id?: string } {
  if (typeof scope === 'object' && scope !== null) {
    if ('tenantId' in scope && typeof scope.tenantId === 'string') return { id: scope.tenantId };
    if ('platform' in scope && scope.platform === true) return {};
  }
  throw new HoldfastError('tenant_scope_missing', 'Tenants are read in a scope: use Database.inTenant or Database.asPlatform');
}

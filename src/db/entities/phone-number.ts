import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { AIProfile } from './ai-profile.ts';
import { rowProperties } from './row.ts';
import { tenantFilter, tenantOwnedProperties, tenantPolicies } from './tenant-owned.ts';

/** A number that callers dial. It belongs to exactly one tenant on the whole platform. */
export const PhoneNumber = defineEntity({
  name: 'PhoneNumber',
  tableName: 'phone_numbers',
  properties: {
    ...rowProperties,
    ...tenantOwnedProperties,
    /** E.164 with its plus. */
    didNumber: p.string().length(16).unique('phone_numbers_did_number_unique'),
    providerType: p.string().length(32).default('generic'),
    isActive: p.boolean().default(true),
    /** Null: the tenant's default profile answers. */
    aiProfileId: () =>
      p.manyToOne(AIProfile).mapToPk().nullable().fieldName('ai_profile_id').deleteRule('set null').updateRule('no action').index(),
  },
  checks: [{ name: 'phone_numbers_did_number_e164', expression: `did_number ~ '^\\+[1-9][0-9]{3,14}$'` }],
  filters: tenantFilter,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('phone_numbers', { ai_profile_id: 'ai_profiles' }),
});
export type PhoneNumber = InferEntity<typeof PhoneNumber>;

import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { profileRoles } from '../../domain/call.ts';
import { rowProperties } from './row.ts';
import { tenantFilter, tenantOwnedProperties, tenantPolicies } from './tenant-owned.ts';

/** How an agent speaks and behaves. */
export const AIProfile = defineEntity({
  name: 'AIProfile',
  tableName: 'ai_profiles',
  properties: {
    ...rowProperties,
    ...tenantOwnedProperties,
    name: p.string().length(200),
    role: p.enum(profileRoles).default('receptionist'),
    systemPrompt: p.text(),
    /** Spoken first; null: the greeting of the role. */
    greeting: p.text().nullable(),
    /** BCP 47. */
    language: p.string().length(35).default('en-US'),
    /** Null: the platform's TTS_VOICE. */
    voice: p.string().length(100).nullable(),
    isDefault: p.boolean().default(false),
  },
  checks: [{ name: 'ai_profiles_system_prompt_not_blank', expression: `system_prompt ~ '[^[:space:]]'` }],
  uniques: [{ name: 'ai_profiles_one_default_per_tenant', properties: ['tenantId'], where: 'is_default' }],
  filters: tenantFilter,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('ai_profiles'),
});
export type AIProfile = InferEntity<typeof AIProfile>;

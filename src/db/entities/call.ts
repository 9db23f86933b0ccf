import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { CallUsage } from '../../contracts/checkpoint.ts';
import { admitters, callDirections, callStatuses, dispositions } from '../../domain/call.ts';
import { AIProfile } from './ai-profile.ts';
import { PhoneNumber } from './phone-number.ts';
import { rowProperties, TIMESTAMP } from './row.ts';
import { tenantFilter, tenantOwnedProperties, tenantPolicies } from './tenant-owned.ts';

/** One call; its id is the call record id of the webhook and of the workflow. */
export const Call = defineEntity({
  name: 'Call',
  tableName: 'calls',
  properties: {
    ...rowProperties,
    ...tenantOwnedProperties,
    /** The PBX's channel id of the caller's leg. */
    externalCallId: p.string().length(150),
    direction: p.enum(callDirections).default('inbound'),
    status: p.enum(callStatuses).default('initiated'),
    /** Written exactly once, together with a terminal status. */
    disposition: p.enum(dispositions).nullable(),
    /** Short machine-readable cause of the disposition. */
    reason: p.string().length(100).nullable(),
    /** HMAC-SHA256 of the caller's E.164 number, for look-up; null when withheld. */
    callerNumberHash: p.string().length(64).nullable(),
    /** The caller's number under the tenant's data key, for display. */
    callerNumberSealed: p.blob().nullable(),
    phoneNumberId: () =>
      p.manyToOne(PhoneNumber).mapToPk().nullable().fieldName('phone_number_id').deleteRule('set null').updateRule('no action').index(),
    aiProfileId: () =>
      p.manyToOne(AIProfile).mapToPk().nullable().fieldName('ai_profile_id').deleteRule('set null').updateRule('no action').index(),
    /** Id of the media node that holds (or held) the conversation. */
    mediaNode: p.string().length(60).nullable(),
    startedAt: p.datetime().columnType(TIMESTAMP),
    answeredAt: p.datetime().columnType(TIMESTAMP).nullable(),
    endedAt: p.datetime().columnType(TIMESTAMP).nullable(),
    usage: p.json<CallUsage>().nullable(),
    admittedBy: p.enum(admitters).default('workflow'),
    /** Fail-open calls: when Temporal took the call over. */
    workflowStartedAt: p.datetime().columnType(TIMESTAMP).nullable(),
    /** Fail-open calls: the process of the API that has promised to look after the talk, and until when. */
    attendedBy: p.uuid().nullable(),
    attendedUntil: p.datetime().columnType(TIMESTAMP).nullable(),
  },
  checks: [
    {
      name: 'calls_disposition_is_terminal',
      expression: `(disposition is not null) = (status in ('completed', 'failed', 'rejected'))`,
    },
  ],
  indexes: [
    { name: 'calls_tenant_started_index', properties: ['tenantId', 'startedAt', 'id'] },
    { name: 'calls_open_index', properties: ['tenantId'], where: 'disposition is null' },
    {
      name: 'calls_unstarted_index',
      properties: ['createdAt'],
      where: `admitted_by = 'fail_open' and workflow_started_at is null and disposition is distinct from 'rejected'`,
    },
    { name: 'calls_tenant_caller_index', properties: ['tenantId', 'callerNumberHash', 'startedAt'] },
  ],
  filters: tenantFilter,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('calls', { phone_number_id: 'phone_numbers', ai_profile_id: 'ai_profiles' }),
});
export type Call = InferEntity<typeof Call>;

import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { toolRunStatuses } from '../../domain/booking.ts';
import { Call } from './call.ts';
import { rowProperties } from './row.ts';
import { tenantFilter, tenantOwnedProperties, tenantPolicies } from './tenant-owned.ts';

/**
 * The ledger of tool side effects. A row is written in the same transaction as the effect, so a
 * repeated key finds either both or neither.
 */
export const ToolRun = defineEntity({
  name: 'ToolRun',
  tableName: 'tool_runs',
  properties: {
    ...rowProperties,
    ...tenantOwnedProperties,
    callId: () => p.manyToOne(Call).mapToPk().fieldName('call_id').deleteRule('cascade').updateRule('no action').index(false),
    /** "{turn}:{index}" within the call. */
    key: p.string().length(200),
    /** As the model wrote it, so that an unknown tool is on record too. */
    name: p.string().length(100),
    status: p.enum(toolRunStatuses).default('running'),
    /** What the language model read; json, not jsonb, keeps it word for word. */
    result: p.json<Record<string, unknown>>().columnType('json').nullable(),
  },
  uniques: [{ name: 'tool_runs_call_key_unique', properties: ['callId', 'key'] }],
  filters: tenantFilter,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('tool_runs', { call_id: 'calls' }),
});
export type ToolRun = InferEntity<typeof ToolRun>;

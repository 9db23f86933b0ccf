import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { TurnLatencies } from '../../contracts/turn.ts';
import { speakers } from '../../domain/call.ts';
import { Call } from './call.ts';
import { rowProperties, TIMESTAMP } from './row.ts';
import { tenantFilter, tenantOwnedProperties, tenantPolicies } from './tenant-owned.ts';

/** One utterance of one side of a call. */
export const CallTurn = defineEntity({
  name: 'CallTurn',
  tableName: 'call_turns',
  properties: {
    ...rowProperties,
    ...tenantOwnedProperties,
    callId: () => p.manyToOne(Call).mapToPk().fieldName('call_id').deleteRule('cascade').updateRule('no action').index(false),
    /** Counts both sides' utterances from 0. */
    sequence: p.integer(),
    speaker: p.enum(speakers),
    text: p.text(),
    /** Agent: what the caller heard of it. */
    heardText: p.text(),
    interrupted: p.boolean().default(false),
    startedAt: p.datetime().columnType(TIMESTAMP),
    endedAt: p.datetime().columnType(TIMESTAMP),
    latencies: p.json<TurnLatencies>(),
  },
  checks: [{ name: 'call_turns_sequence_not_negative', expression: 'sequence >= 0' }],
  uniques: [{ name: 'call_turns_call_sequence_unique', properties: ['callId', 'sequence'] }],
  filters: tenantFilter,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('call_turns', { call_id: 'calls' }),
});
export type CallTurn = InferEntity<typeof CallTurn>;

import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { bookingStatuses } from '../../domain/booking.ts';
import { Call } from './call.ts';
import { rowProperties, TIMESTAMP } from './row.ts';
import { tenantFilter, tenantOwnedProperties, tenantPolicies } from './tenant-owned.ts';

/** An appointment that an agent made. */
export const Booking = defineEntity({
  name: 'Booking',
  tableName: 'bookings',
  properties: {
    ...rowProperties,
    ...tenantOwnedProperties,
    startsAt: p.datetime().columnType(TIMESTAMP),
    endsAt: p.datetime().columnType(TIMESTAMP),
    status: p.enum(bookingStatuses).default('confirmed'),
    /** What the agent had learned when it booked. */
    customerName: p.string().length(200).nullable(),
    service: p.string().length(200).nullable(),
    notes: p.string().length(2_000).nullable(),
    sourceCallId: () =>
      p.manyToOne(Call).mapToPk().nullable().fieldName('source_call_id').deleteRule('set null').updateRule('no action').index(),
  },
  checks: [{ name: 'bookings_ends_after_start', expression: 'ends_at > starts_at' }],
  uniques: [{ name: 'bookings_slot_taken_once', properties: ['tenantId', 'startsAt'], where: `status = 'confirmed'` }],
  filters: tenantFilter,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('bookings', { source_call_id: 'calls' }),
});
export type Booking = InferEntity<typeof Booking>;

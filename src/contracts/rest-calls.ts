import { z } from 'zod';
import { bookingStatuses, toolRunStatuses } from '../domain/booking.ts';
import { callDirections, callStatuses, dispositions, speakers } from '../domain/call.ts';
import { callUsage } from './checkpoint.ts';
import { pageOf, pageQuery, rowFields, timestamp } from './rest.ts';
import { sayText, sipAddress } from './steering.ts';
import { turnLatencies } from './turn.ts';

const callFields = {
  ...rowFields,
  tenant_id: z.uuid(),
  direction: z.enum(callDirections),
  status: z.enum(callStatuses),
  disposition: z.enum(dispositions).nullable(),
  reason: z.string().nullable().meta({ description: 'Short machine-readable cause' }),
  caller_number: z
    .string()
    .nullable()
    .meta({ description: 'Masked to the last four digits; null when withheld or no longer readable', example: '•••••••0199' }),
  phone_number_id: z.uuid().nullable(),
  ai_profile_id: z.uuid().nullable(),
  media_node: z.string().nullable(),
  started_at: timestamp,
  answered_at: timestamp.nullable(),
  ended_at: timestamp.nullable(),
  usage: callUsage.nullable(),
};

export const call = z.object(callFields).meta({ id: 'Call' });
export type CallView = z.infer<typeof call>;

export const callTurn = z
  .object({
    sequence: z.int(),
    speaker: z.enum(speakers),
    text: z.string(),
    heard_text: z.string().meta({ description: 'Agent: what the caller heard of it' }),
    interrupted: z.boolean(),
    started_at: timestamp,
    ended_at: timestamp,
    latencies: turnLatencies.meta({ description: 'Milliseconds' }),
  })
  .meta({ id: 'CallTurn' });
export type CallTurnView = z.infer<typeof callTurn>;

export const toolRun = z
  .object({
    key: z.string(),
    name: z.string(),
    status: z.enum(toolRunStatuses),
    result: z.record(z.string(), z.unknown()).nullable(),
    created_at: timestamp,
  })
  .meta({ id: 'ToolRun' });
export type ToolRunView = z.infer<typeof toolRun>;

export const booking = z
  .object({
    ...rowFields,
    tenant_id: z.uuid(),
    status: z.enum(bookingStatuses),
    starts_at: timestamp,
    ends_at: timestamp,
    customer_name: z.string().nullable(),
    service: z.string().nullable(),
    notes: z.string().nullable(),
    source_call_id: z.uuid().nullable(),
  })
  .meta({ id: 'Booking' });
export type BookingView = z.infer<typeof booking>;

export const callDetail = z
  .object({ ...callFields, turns: z.array(callTurn), tool_runs: z.array(toolRun), bookings: z.array(booking) })
  .meta({ id: 'CallDetail', description: 'A call with everything that was said and done' });
export type CallDetailView = z.infer<typeof callDetail>;

export const callsQuery = pageQuery.extend({
  status: z.enum(callStatuses).optional(),
  caller_number: z
    .string()
    .max(40)
    // A plus that nobody escaped arrives as a space.
    .transform((text) => text.replace(/^ /, '+'))
    .pipe(z.string().regex(/^\+[1-9]\d{3,14}$/, 'must be E.164, e.g. %2B12025550199'))
    .optional()
    .meta({ description: 'E.164; looked up by its HMAC' }),
});
export type CallsQuery = z.output<typeof callsQuery>;

export const hangupBody = z
  .strictObject({
    reason: z
      .string()
      .regex(/^[a-z0-9_]{1,60}$/, 'must be a short machine-readable word')
      .default('operator_hangup'),
  })
  .meta({ id: 'Hangup' });
export const sayBody = z
  .strictObject({
    text: sayText.meta({ description: 'One line of 1 to 500 characters', example: 'A colleague will be with you in a minute.' }),
  })
  .meta({ id: 'Say' });
export const transferBody = z
  .strictObject({
    to: sipAddress.meta({
      description: 'sip:user@host or sip:user@host:port, of an allowed host',
      example: 'sip:reception@pbx.example.com',
    }),
  })
  .meta({ id: 'Transfer' });
export const steerAccepted = z.object({ status: z.literal('accepted') }).meta({ id: 'SteerAccepted' });

export const hangupAccepted = z.object({ status: z.literal('accepted') }).meta({ id: 'HangupAccepted' });

export const callPage = pageOf(call).meta({ id: 'CallPage' });
export const bookingPage = pageOf(booking).meta({ id: 'BookingPage' });

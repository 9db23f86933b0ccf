import { z } from 'zod';
import { tenantPlans, tenantStatuses } from '../domain/call.ts';
import { linesOfPlan } from '../domain/call-lines.ts';
import { isTimeZone } from '../domain/local-time.ts';
import { intervalsInOrder, weekdays, type Weekday } from '../domain/opening-hours.ts';
import { atLeastOneField, nonBlank, pageOf, rowFields } from './rest.ts';

/** More would be a slip of the keyboard. */
const MAX_CONCURRENT_CALLS = 100_000;

// Aborting, so that a wrong time is not reported a second time as a wrong order.
const time = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: 'must be HH:MM', abort: true });
const day = z
  .array(z.strictObject({ open: time, close: time }))
  .max(10)
  .refine(intervalsInOrder, 'intervals must be in order, each closing after it opens');

export const openingHours = z
  .strictObject(Object.fromEntries(weekdays.map((name) => [name, day])) as Record<Weekday, typeof day>)
  .meta({ id: 'OpeningHours', description: 'Per weekday, local wall-clock intervals; an empty list is a closed day' });

const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'must be two capital letters, ISO 3166-1 alpha-2')
  .meta({ description: 'How national phone numbers read', example: 'US' });
const timezone = z.string().max(64).refine(isTimeZone, 'must be an IANA time zone').meta({ example: 'America/New_York' });

const maxConcurrentCalls = z
  .int()
  .min(1)
  .max(MAX_CONCURRENT_CALLS)
  .nullable()
  .meta({
    description: `Simultaneous calls; null: what the plan gives (${Object.entries(linesOfPlan)
      .map(([plan, lines]) => `${plan} ${lines}`)
      .join(', ')})`,
  });

export const tenant = z
  .object({
    ...rowFields,
    name: z.string(),
    status: z.enum(tenantStatuses),
    plan: z.enum(tenantPlans),
    max_concurrent_calls: maxConcurrentCalls,
    country: z.string(),
    timezone: z.string(),
    opening_hours: openingHours,
  })
  .meta({ id: 'Tenant', description: 'A business' });
export type TenantView = z.infer<typeof tenant>;

export const createTenant = z
  .strictObject({
    name: nonBlank(200),
    plan: z.enum(tenantPlans).default('starter'),
    max_concurrent_calls: maxConcurrentCalls.default(null),
    country,
    timezone,
    opening_hours: openingHours.optional().meta({ description: 'Monday to Friday 09:00-17:00 when left out' }),
  })
  .meta({ id: 'CreateTenant' });
export type CreateTenant = z.output<typeof createTenant>;

export const patchTenant = z
  .strictObject({
    name: nonBlank(200),
    status: z.enum(tenantStatuses),
    plan: z.enum(tenantPlans),
    max_concurrent_calls: maxConcurrentCalls,
    country,
    timezone,
    opening_hours: openingHours,
  })
  .partial()
  .refine(...atLeastOneField)
  .meta({ id: 'PatchTenant' });
export type PatchTenant = z.output<typeof patchTenant>;

export const tenantPage = pageOf(tenant).meta({ id: 'TenantPage' });

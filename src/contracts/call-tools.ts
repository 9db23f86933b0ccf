/**
 * The tools that an agent may call: what the language model writes, and what it reads back. Days
 * and times are wall-clock in the business's own time zone. Every result has `summary`, one English
 * sentence that may be spoken as it is.
 */
import { z } from 'zod';
import type { ToolName } from '../domain/call.ts';
import type { ToolSpec } from './call-plan.ts';

const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .describe('Day as YYYY-MM-DD, in the business’s time zone');
const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
  .describe('Time as HH:MM, 24 hours, in the business’s time zone');
/** Models send null or "" for what they do not know. */
const optionalText = (max: number, description: string) =>
  z
    .string()
    .max(max)
    .nullish()
    .transform((text) => text?.replaceAll('\u0000', '').trim() || null)
    .describe(description);

export const toolArguments = {
  get_opening_hours: z.object({ date: date.nullish() }),
  check_availability: z.object({ date, time: time.nullish() }),
  book_appointment: z.object({
    date,
    time,
    name: optionalText(200, 'Name of the caller, if they gave it'),
    service: optionalText(200, 'What the appointment is for, if the caller said it'),
    notes: optionalText(2_000, 'Anything else the business should know'),
  }),
  end_call: z.object({ reason: optionalText(200, 'Why the call ends, in a few words') }),
} as const satisfies Record<ToolName, z.ZodType>;

export type ToolArguments = { readonly [Name in ToolName]: z.output<(typeof toolArguments)[Name]> };

const descriptions: Record<ToolName, string> = {
  get_opening_hours: 'Opening hours of the business, for the whole week or for one day.',
  check_availability: 'Free appointment times on a day; with a time, also whether that time is free.',
  book_appointment: 'Books an appointment at a free time. Ask the caller for day and time first.',
  end_call: 'Hangs up after what you say now. Use it when the caller says goodbye or has nothing else to ask.',
};

/** As the language model sees them: JSON Schema parameters. */
export const toolSpecs: readonly ToolSpec[] = (Object.keys(toolArguments) as ToolName[]).map((name) => ({
  name,
  description: descriptions[name],
  parameters: jsonSchema(toolArguments[name]),
}));

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: 'input' });
  return parameters;
}

/** Results, as JSON text in ToolResult.content. `ok: false` results carry `error` instead. */
export interface OpeningHoursResult {
  readonly summary: string;
  readonly timezone: string;
  /** Present when a date was asked for. */
  readonly date?: string;
  readonly weekday?: string;
  /** "HH:MM-HH:MM"; empty when closed that day. */
  readonly open?: readonly string[];
  /** Present when no date was asked for: weekday → "HH:MM-HH:MM" list. */
  readonly week?: Readonly<Record<string, readonly string[]>>;
}

export interface AvailabilityResult {
  readonly summary: string;
  readonly date: string;
  readonly weekday: string;
  /** Free times, HH:MM, at most TOOL_TIMES_SHOWN, those nearest to the time asked for. */
  readonly free: readonly string[];
  readonly free_count: number;
  /** Present when a time was asked for. */
  readonly requested?: { readonly time: string; readonly available: boolean; readonly reason?: SlotReason };
}

export type BookingResult =
  | {
      readonly summary: string;
      readonly booked: true;
      readonly booking_id: string;
      readonly date: string;
      readonly time: string;
      readonly weekday: string;
    }
  | { readonly summary: string; readonly booked: false; readonly reason: SlotReason; readonly alternatives: readonly string[] };

export type SlotReason = 'taken' | 'past' | 'too_far_ahead' | 'closed_day' | 'outside_hours' | 'not_a_slot' | 'invalid_date';

export interface ToolErrorResult {
  readonly summary: string;
  readonly error: 'invalid_arguments' | 'tool_unknown';
  readonly fields?: readonly { readonly path: string; readonly message: string }[];
}

/** More would fill the prompt, and nobody listens to a list of twenty times. */
export const TOOL_TIMES_SHOWN = 6;

/** The diary of a business, as its agent uses it during a call. */
import {
  TOOL_TIMES_SHOWN,
  type AvailabilityResult,
  type BookingResult,
  type OpeningHoursResult,
  type SlotReason,
  type ToolArguments,
} from '../contracts/call-tools.ts';
import { Booking } from '../db/entities/booking.ts';
import type { Call } from '../db/entities/call.ts';
import type { Tenant } from '../db/entities/tenant.ts';
import type { ScopedEntityManager } from '../db/tenant-scope.ts';
import { findSlot, nearestTimes, openSlots, type SlotQuery } from '../domain/appointment-slots.ts';
import { isDate, weekdayOf } from '../domain/local-time.ts';
import { capitalised, spokenHours, spokenTime, weekdays, type OpeningHours, type OpenInterval } from '../domain/opening-hours.ts';

/** Where a tool works: inside the transaction of one call of one tenant. */
export interface ToolContext {
  readonly em: ScopedEntityManager;
  readonly tenant: Tenant;
  readonly call: Call;
  readonly now: Date;
}

type Business = Pick<Tenant, 'name' | 'timezone' | 'openingHours'>;

export function openingHours(business: Business, args: ToolArguments['get_opening_hours']): OpeningHoursResult {
  const { timezone, openingHours: hours } = business;
  if (args.date == null || !isDate(args.date)) {
    const week = Object.fromEntries(weekdays.map((day) => [day, ranges(hours[day])]));
    return { summary: `${business.name} is open ${spokenHours(hours)}.`, timezone, week };
  }
  const weekday = weekdayOf(args.date);
  return { summary: spokenDay(hours, args.date), timezone, date: args.date, weekday, open: ranges(hours[weekday]) };
}

export async function checkAvailability(context: ToolContext, args: ToolArguments['check_availability']): Promise<AvailabilityResult> {
  const query = slotQuery(context, args.date);
  const free = await freeTimes(context.em, query);
  const weekday = isDate(args.date) ? weekdayOf(args.date) : '';
  const shown = args.time == null ? free.slice(0, TOOL_TIMES_SHOWN) : nearestTimes(free, args.time, TOOL_TIMES_SHOWN);
  const base = { date: args.date, weekday, free: shown, free_count: free.length };
  if (args.time == null) {
    const summary =
      free.length === 0 ? `Nothing is free on ${spokenDate(args.date)}.` : `Free on ${spokenDate(args.date)}: ${spokenTimes(shown)}.`;
    return { ...base, summary };
  }
  const reason = free.includes(args.time) ? undefined : refusalReason(query, args.time);
  const requested = { time: args.time, available: reason === undefined, ...(reason === undefined ? {} : { reason }) };
  const summary =
    reason === undefined
      ? `${capital(spokenTime(args.time))} on ${spokenDate(args.date)} is free.`
      : notPossible({ query, time: args.time, reason, alternatives: shown });
  return { ...base, summary, requested };
}

export async function bookAppointment(context: ToolContext, args: ToolArguments['book_appointment']): Promise<BookingResult> {
  const { em, tenant, call, now } = context;
  const query = slotQuery(context, args.date);
  const found = findSlot(query, args.time);
  if ('refusal' in found) return notBooked(context, { query, time: args.time, reason: found.refusal });
  const { startsAt, endsAt } = found.slot;
  const id = crypto.randomUUID();
  // The database decides who gets the slot: two calls may ask for it at the same moment.
  const { affectedRows } = await em
    .createQueryBuilder(Booking)
    .insert({
      id,
      tenantId: tenant.id,
      startsAt,
      endsAt,
      status: 'confirmed',
      customerName: args.name,
      service: args.service,
      notes: args.notes,
      sourceCallId: call.id,
      createdAt: now,
      updatedAt: now,
    })
    .onConflict()
    .ignore()
    .execute('run');
  if (affectedRows === 0) return notBooked(context, { query, time: args.time, reason: 'taken' });
  const summary = `Booked for ${spokenDate(args.date)} at ${spokenTime(args.time)}.`;
  return { booked: true, summary, booking_id: id, date: args.date, time: args.time, weekday: weekdayOf(args.date) };
}

async function notBooked(context: ToolContext, refused: { query: SlotQuery; time: string; reason: SlotReason }): Promise<BookingResult> {
  const alternatives = nearestTimes(await freeTimes(context.em, refused.query), refused.time, TOOL_TIMES_SHOWN);
  return { booked: false, reason: refused.reason, alternatives, summary: notPossible({ ...refused, alternatives }) };
}

function slotQuery(context: Pick<ToolContext, 'tenant' | 'now'>, date: string): SlotQuery {
  return { date, hours: context.tenant.openingHours, zone: context.tenant.timezone, now: context.now };
}

/** HH:MM of the day's slots that nobody has, in order. */
async function freeTimes(em: ScopedEntityManager, query: SlotQuery): Promise<string[]> {
  const slots = openSlots(query);
  const [first, last] = [slots[0], slots.at(-1)];
  if (first === undefined || last === undefined) return [];
  const taken = await em.find(
    Booking,
    { status: 'confirmed', startsAt: { $lt: last.endsAt }, endsAt: { $gt: first.startsAt } },
    { fields: ['startsAt', 'endsAt'] },
  );
  const free = slots.filter((slot) => !taken.some((booking) => booking.startsAt < slot.endsAt && booking.endsAt > slot.startsAt));
  return free.map((slot) => slot.time);
}

function refusalReason(query: SlotQuery, time: string): SlotReason {
  const found = findSlot(query, time);
  return 'refusal' in found ? found.refusal : 'taken';
}

function notPossible(facts: { query: SlotQuery; time: string; reason: SlotReason; alternatives: readonly string[] }): string {
  const { query, time, reason, alternatives } = facts;
  const because: Record<SlotReason, string> = {
    taken: `${spokenTime(time)} on ${spokenDate(query.date)} is already taken`,
    past: 'That time is in the past',
    too_far_ahead: 'That is too far ahead',
    closed_day: `We are closed on ${spokenDate(query.date)}`,
    outside_hours: isDate(query.date) ? spokenDay(query.hours, query.date).replace(/\.$/, '') : 'That is outside the opening hours',
    not_a_slot: 'Appointments start on the hour or the half hour of the opening hours',
    invalid_date: 'That is not a day of the calendar',
  };
  return `${capital(because[reason])}.${alternatives.length === 0 ? '' : ` Free that day: ${spokenTimes(alternatives)}.`}`;
}

const ranges = (intervals: readonly OpenInterval[]): string[] => intervals.map(({ open, close }) => `${open}-${close}`);

function spokenDay(hours: OpeningHours, date: string): string {
  const intervals = hours[weekdayOf(date)];
  if (intervals.length === 0) return `We are closed on ${spokenDate(date)}.`;
  const words = intervals.map(({ open, close }) => `from ${spokenTime(open)} to ${spokenTime(close)}`).join(' and ');
  return `On ${spokenDate(date)} we are open ${words}.`;
}

function spokenDate(date: string): string {
  if (!isDate(date)) return 'that day';
  const day = new Date(`${date}T00:00:00Z`);
  const month = new Intl.DateTimeFormat('en-US', { month: 'long', timeZone: 'UTC' }).format(day);
  return `${capitalised(weekdayOf(date))}, ${month} ${day.getUTCDate()}`;
}

function spokenTimes(times: readonly string[]): string {
  const spoken = times.map((time) => spokenTime(time));
  return spoken.length < 2 ? spoken.join('') : `${spoken.slice(0, -1).join(', ')} and ${spoken.at(-1) ?? ''}`;
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

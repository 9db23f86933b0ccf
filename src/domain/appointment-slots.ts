/** Which appointments a business can give: half-hour slots inside its opening hours. */
import { instantOf, isDate, weekdayOf } from './local-time.ts';
import { minutesOf, timeOf, type OpeningHours } from './opening-hours.ts';

export const SLOT_MINUTES = 30;
/** How far ahead an appointment may lie. */
export const BOOKING_HORIZON_DAYS = 365;

export interface Slot {
  /** HH:MM local. */
  readonly time: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
}

export interface SlotQuery {
  /** YYYY-MM-DD in the zone. */
  readonly date: string;
  readonly hours: OpeningHours;
  readonly zone: string;
  readonly now: Date;
}

/** Slots of a day that have not begun, in order; none on a closed day or beyond the horizon. */
export function openSlots(query: SlotQuery): Slot[] {
  if (!isDate(query.date)) return [];
  const slots: Slot[] = [];
  for (const interval of query.hours[weekdayOf(query.date)]) {
    const close = minutesOf(interval.close);
    for (let at = minutesOf(interval.open); at + SLOT_MINUTES <= close; at += SLOT_MINUTES) {
      const slot = slotAt(query, timeOf(at));
      if (slot !== null && withinHorizon(slot.startsAt, query.now)) slots.push(slot);
    }
  }
  return slots;
}

export type SlotRefusal = 'invalid_date' | 'past' | 'too_far_ahead' | 'closed_day' | 'outside_hours' | 'not_a_slot';

/** The slot at a local time, or why there is none. */
export function findSlot(query: SlotQuery, time: string): { slot: Slot } | { refusal: SlotRefusal } {
  if (!isDate(query.date)) return { refusal: 'invalid_date' };
  const wanted = slotAt(query, time);
  if (wanted === null) return { refusal: 'not_a_slot' };
  if (wanted.startsAt <= query.now) return { refusal: 'past' };
  if (!withinHorizon(wanted.startsAt, query.now)) return { refusal: 'too_far_ahead' };
  const intervals = query.hours[weekdayOf(query.date)];
  if (intervals.length === 0) return { refusal: 'closed_day' };
  const minutes = minutesOf(time);
  const interval = intervals.find((each) => minutes >= minutesOf(each.open) && minutes + SLOT_MINUTES <= minutesOf(each.close));
  if (interval === undefined) return { refusal: 'outside_hours' };
  if ((minutes - minutesOf(interval.open)) % SLOT_MINUTES !== 0) return { refusal: 'not_a_slot' };
  return { slot: wanted };
}

/** Up to `count` of the free times, those nearest to the wanted one first, then put in order. */
export function nearestTimes(free: readonly string[], wanted: string, count: number): string[] {
  const target = minutesOf(wanted);
  const byDistance = [...free].sort((a, b) => Math.abs(minutesOf(a) - target) - Math.abs(minutesOf(b) - target));
  return byDistance.slice(0, count).sort();
}

function slotAt(query: SlotQuery, time: string): Slot | null {
  const startsAt = Number.isNaN(minutesOf(time)) ? null : instantOf(query.date, time, query.zone);
  return startsAt === null ? null : { time, startsAt, endsAt: new Date(startsAt.getTime() + SLOT_MINUTES * 60_000) };
}

function withinHorizon(startsAt: Date, now: Date): boolean {
  const aheadMs = startsAt.getTime() - now.getTime();
  return aheadMs > 0 && aheadMs <= BOOKING_HORIZON_DAYS * 86_400_000;
}

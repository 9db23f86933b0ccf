/** Wall-clock time in a business's IANA time zone ↔ instants. Pure: the instant is always an argument. */
import { weekdays, type Weekday } from './opening-hours.ts';

export interface LocalDateTime {
  /** YYYY-MM-DD */
  readonly date: string;
  /** HH:MM */
  readonly time: string;
  readonly weekday: Weekday;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

export function isTimeZone(zone: string): boolean {
  try {
    formatterFor(zone);
    return true;
  } catch {
    return false;
  }
}

/** @throws RangeError for an unknown zone. */
export function localDateTime(instant: Date, zone: string): LocalDateTime {
  const parts = Object.fromEntries(
    formatterFor(zone)
      .formatToParts(instant)
      .map((part) => [part.type, part.value]),
  );
  const date = `${parts['year']}-${parts['month']}-${parts['day']}`;
  return { date, time: `${parts['hour']}:${parts['minute']}`, weekday: weekdayOf(date) };
}

/** Null for a wall-clock time that does not exist (spring forward); the earlier of two that do (fall back). */
export function instantOf(date: string, time: string, zone: string): Date | null {
  if (!isDate(date)) return null;
  const asUtc = Date.parse(`${date}T00:00:00Z`) + minutesFromMidnight(time) * 60_000;
  if (Number.isNaN(asUtc)) return null;
  // The offsets a day before and after cover every transition; the larger offset is the earlier instant.
  const offsets = [-86_400_000, 0, 86_400_000].map((shift) => offsetMs(new Date(asUtc + shift), zone));
  for (const offset of [...new Set(offsets)].sort((a, b) => b - a)) {
    const instant = new Date(asUtc - offset);
    if (offsetMs(instant, zone) === offset) return instant;
  }
  return null;
}

/** A real calendar day written YYYY-MM-DD. */
export function isDate(date: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return false;
  const parsed = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}

export function weekdayOf(date: string): Weekday {
  const sundayFirst = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekdays[(sundayFirst + 6) % 7] ?? 'monday';
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

function minutesFromMidnight(time: string): number {
  const [hours = '', minutes = ''] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** Local time minus UTC, to the minute. */
function offsetMs(instant: Date, zone: string): number {
  const local = localDateTime(instant, zone);
  const truncated = Math.floor(instant.getTime() / 60_000) * 60_000;
  return Date.parse(`${local.date}T${local.time}:00Z`) - truncated;
}

function formatterFor(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  formatters.set(zone, formatter);
  return formatter;
}

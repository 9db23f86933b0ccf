/** When a business is open: per weekday, intervals of local wall-clock time. */

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof weekdays)[number];

/** "HH:MM", 24 hours; `close` is exclusive and may be "24:00". */
export interface OpenInterval {
  readonly open: string;
  readonly close: string;
}

/** An empty list is a closed day. Intervals are in order and do not overlap. */
export type OpeningHours = Readonly<Record<Weekday, readonly OpenInterval[]>>;

const officeDay: readonly OpenInterval[] = [{ open: '09:00', close: '17:00' }];

export const defaultOpeningHours: OpeningHours = {
  monday: officeDay,
  tuesday: officeDay,
  wednesday: officeDay,
  thursday: officeDay,
  friday: officeDay,
  saturday: [],
  sunday: [],
};

/** Minutes since midnight; NaN for anything but "HH:MM" up to "24:00". */
export function minutesOf(time: string): number {
  const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(time);
  if (match === null) return Number.NaN;
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  return minutes <= 1_440 ? minutes : Number.NaN;
}

export const timeOf = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** Each interval ends after it begins, and begins no earlier than the one before ends. */
export function intervalsInOrder(intervals: readonly OpenInterval[]): boolean {
  let end = 0;
  for (const interval of intervals) {
    const [open, close] = [minutesOf(interval.open), minutesOf(interval.close)];
    if (!(open >= end && close > open)) return false;
    end = close;
  }
  return true;
}

/** "9 AM", "9:30 AM", "noon": as one says it on the phone in English. */
export function spokenTime(time: string): string {
  const minutes = minutesOf(time);
  if (minutes === 720) return 'noon';
  if (minutes === 0 || minutes === 1_440) return 'midnight';
  const hour = Math.floor(minutes / 60) % 12 || 12;
  const rest = minutes % 60 === 0 ? '' : `:${String(minutes % 60).padStart(2, '0')}`;
  return `${hour}${rest} ${minutes < 720 ? 'AM' : 'PM'}`;
}

export const capitalised = (day: Weekday): string => `${day.charAt(0).toUpperCase()}${day.slice(1)}`;

const spokenDay = (intervals: readonly OpenInterval[]): string =>
  intervals.map((interval) => `from ${spokenTime(interval.open)} to ${spokenTime(interval.close)}`).join(' and ');

/** "Monday to Friday from 9 AM to 5 PM, Saturday from 10 AM to 2 PM; closed on Sunday". */
export function spokenHours(hours: OpeningHours): string {
  const runs: { first: Weekday; last: Weekday; words: string }[] = [];
  for (const day of weekdays) {
    const words = spokenDay(hours[day]);
    const current = runs.at(-1);
    if (current !== undefined && current.words === words) current.last = day;
    else runs.push({ first: day, last: day, words });
  }
  const span = (run: { first: Weekday; last: Weekday }): string =>
    run.first === run.last ? capitalised(run.first) : `${capitalised(run.first)} to ${capitalised(run.last)}`;
  const open = runs.filter((run) => run.words !== '').map((run) => `${span(run)} ${run.words}`);
  const closed = runs.filter((run) => run.words === '').map(span);
  if (open.length === 0) return 'closed every day';
  return open.join(', ') + (closed.length === 0 ? '' : `; closed on ${closed.join(' and ')}`);
}

/** What the demo's caller wants: the opening hours, an appointment, and a polite end. */
import { localDateTime } from '../../src/domain/local-time.ts';
import type { Weekday } from '../../src/domain/opening-hours.ts';
import type { FollowUp, Step } from './script-steps.ts';

export interface Wish {
  readonly day: Weekday;
  /** As it is said. */
  readonly time: string;
  /** HH:MM */
  readonly clock: string;
}

/** Where the wish goes when its day is full. */
const OTHER_DAY: Weekday = 'thursday';
const days = ['wednesday', 'friday', 'monday', 'tuesday'] as const;
const times = [
  ['eleven in the morning', '11:00'],
  ["ten o'clock in the morning", '10:00'],
  ['three in the afternoon', '15:00'],
  ['nine in the morning', '09:00'],
  ['two in the afternoon', '14:00'],
  ['four in the afternoon', '16:00'],
] as const;

/** What the n-th of several callers wants: 24 wishes that do not collide, in words that are recognised well. */
export function wishOf(n: number): Wish {
  const [time, clock] = times[Math.floor(n / days.length) % times.length] ?? times[0];
  return { day: days[n % days.length] ?? days[0], time, clock };
}

/** Whether an appointment is what was asked for, in the business's own time. */
export function fulfils(wish: Wish, startsAt: Date, timeZone: string): boolean {
  const { weekday, time } = localDateTime(startsAt, timeZone);
  return time === wish.clock && (weekday === wish.day || weekday === OTHER_DAY);
}

const followUps = (wish: Wish): FollowUp[] => [
  { when: /\bname\b/i, say: 'my name is john smith' },
  { when: /shall i|should i|would you like me to|is that (right|correct|okay)|does that/i, say: 'yes please' },
  { when: /(what|which) (day|date)/i, say: `on ${wish.day} at ${wish.time}` },
  { when: /(what|which) time/i, say: `at ${wish.time}` },
  // The slot is gone: another day at the same hour.
  { when: /not (free|available|possible)|taken|already|instead/i, say: `can i come on ${OTHER_DAY} at ${wish.time}` },
];

/** @param thinkMs silence between the greeting and the caller's first words. */
export function demoScript(wish: Wish, thinkMs = 0): Step[] {
  return [
    { do: 'hear', what: 'a greeting that offers help', expect: /help/i },
    ...(thinkMs > 0 ? [{ do: 'silence', forMs: thinkMs } as const] : []),
    { do: 'say', text: 'what are your opening hours' },
    { do: 'interrupt', afterMs: 2_500 },
    { do: 'say', text: `i would like to book an appointment on ${wish.day} at ${wish.time}` },
    { do: 'hear', what: 'that the appointment is booked', expect: /\bbooked\b|confirmed/i, answers: followUps(wish) },
    { do: 'say', text: 'no that is everything thank you goodbye' },
    { do: 'hear', what: 'a goodbye', expect: /goodbye|good bye|bye/i },
    { do: 'await_hangup' },
  ];
}

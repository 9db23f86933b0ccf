/** The time of day a caller means. Pure; English as it is spoken on the phone. */

export type PartOfDay = 'morning' | 'afternoon' | 'evening';

export interface FoundTime {
  /** HH:MM */
  readonly time: string;
}

type Half = 'am' | 'pm' | undefined;
type Reader = (match: RegExpMatchArray) => { hour: number; minute: number; half?: Half } | undefined;

const HALF = '(?: ?(am|pm))?';
const MINUTES = '(05|10|15|20|25|30|35|40|45|50|55)';

const readers: readonly (readonly [RegExp, Reader])[] = [
  [new RegExp(`\\b(\\d{1,2}):(\\d{2})${HALF}\\b`, 'g'), (m) => ({ hour: Number(m[1]), minute: Number(m[2]), half: m[3] as Half })],
  [new RegExp(`\\bhalf (?:past |)(\\d{1,2})${HALF}\\b`, 'g'), (m) => ({ hour: Number(m[1]), minute: 30, half: m[2] as Half })],
  [
    new RegExp(`\\b(?:a )?(quarter|\\d{1,2})(?: minutes?)? (?:past|after) (\\d{1,2})${HALF}\\b`, 'g'),
    (m) => ({ hour: Number(m[2]), minute: m[1] === 'quarter' ? 15 : Number(m[1]), half: m[3] as Half }),
  ],
  [
    new RegExp(`\\b(?:a )?(quarter|\\d{1,2})(?: minutes?)? (?:to|before|till|of) (\\d{1,2})${HALF}\\b`, 'g'),
    (m) => ({
      hour: Number(m[2]) === 1 ? 12 : Number(m[2]) - 1,
      minute: 60 - (m[1] === 'quarter' ? 15 : Number(m[1])),
      half: m[3] as Half,
    }),
  ],
  [/\b(?:12 )?(noon|midday|lunch ?time)\b/g, () => ({ hour: 12, minute: 0 })],
  [new RegExp(`\\b(\\d{1,2}) ${MINUTES}${HALF}\\b`, 'g'), (m) => ({ hour: Number(m[1]), minute: Number(m[2]), half: m[3] as Half })],
  [new RegExp(`\\b(\\d{1,2})(?: oclock)? (am|pm)\\b`, 'g'), (m) => ({ hour: Number(m[1]), minute: 0, half: m[2] as Half })],
  [/\b(\d{1,2})(am|pm)\b/g, (m) => ({ hour: Number(m[1]), minute: 0, half: m[2] as Half })],
  [/\b(\d{1,2}) oclock\b/g, (m) => ({ hour: Number(m[1]), minute: 0 })],
  [/\b(\d{1,2}) (?:in the|this) (?:morning|afternoon|evening)\b/g, (m) => ({ hour: Number(m[1]), minute: 0 })],
  [
    /\b(?:at|around|about|make it|make that|by|say|than|prefer|take|until|from) (?:about |like )?(\d{1,2})\b(?!th| (?:people|days?|weeks?|minutes?|of us))/g,
    (m) => ({ hour: Number(m[1]), minute: 0 }),
  ],
];

/** A number and nothing else that matters: an answer to "what time?", or what is left beside a day. */
const bare =
  /^(?:(?:on|for|at|the|yes|no|and|maybe|perhaps|then|please|ok|okay|sorry|i|would|like|want|is|fine) )*(\d{1,2})(?: (?:please|is|would|be|fine|good|great|then|thanks|thank|you|works|ok|okay|instead|possible))*$/;

/**
 * @param text normalised, number words as digits, the day's words taken out.
 * @param expectsTime true after the agent asked for a time or when a day was named with it.
 */
export function findTime(text: string, expectsTime: boolean): FoundTime | undefined {
  const wanted = text
    .replace(/\bnot (?:at )?\d{1,2}(?: \d{2})?(?: (?:am|pm|oclock))?\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  for (const [pattern, read] of readers) {
    const match = [...wanted.matchAll(pattern)].at(-1);
    const found = match === undefined ? undefined : read(match);
    const time = found === undefined ? undefined : clock(found, partOfDay(text));
    if (time !== undefined) return { time };
  }
  const alone = expectsTime ? bare.exec(wanted) : null;
  const time = alone === null ? undefined : clock({ hour: Number(alone[1]), minute: 0 }, partOfDay(text));
  return time === undefined ? undefined : { time };
}

export function partOfDay(text: string): PartOfDay | undefined {
  return /\b(morning|afternoon|evening)\b/.exec(text.replace(/\bgood (?:morning|afternoon|evening)\b/g, ''))?.[1] as PartOfDay | undefined;
}

/** Without a half of the day named, business hours decide: 7 to 11 is morning, 12 to 6 is afternoon. */
function clock({ hour, minute, half }: { hour: number; minute: number; half?: Half }, part: PartOfDay | undefined): string | undefined {
  if (hour > 23 || minute > 59) return undefined;
  const pm =
    half === 'pm' || (half === undefined && (part === 'afternoon' || part === 'evening' || (part === undefined && hour >= 1 && hour <= 6)));
  const am = half === 'am' || (half === undefined && part === 'morning');
  const hours = pm && hour < 12 ? hour + 12 : am && hour === 12 ? 0 : hour;
  return `${String(hours).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

/** The day a caller means, as a date. Pure: today is an argument. */
import { addDays, isDate, weekdayOf } from '../../../domain/local-time.ts';
import { weekdays } from '../../../domain/opening-hours.ts';

export interface FoundDay {
  /** YYYY-MM-DD */
  readonly date: string;
  /** The text without the words for the day, so that "the 10th at 10" leaves "at 10". */
  readonly rest: string;
}

const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
const MONTH = `(${months.join('|')})`;
const WEEKDAY = `(${weekdays.join('|')})s?`;

type Reader = (match: RegExpMatchArray, today: string) => string | undefined;

/** In this order: what is said more exactly wins over what is said beside it ("monday the 23rd"). */
const readers: readonly (readonly [RegExp, Reader])[] = [
  [new RegExp(`\\b(?:the )?(\\d{1,2})(?:th)? (?:of )?${MONTH}\\b`, 'g'), (m, today) => monthDay(m[2], m[1], today)],
  [new RegExp(`\\b${MONTH} (?:the )?(\\d{1,2})(?:th)?(?! ?(?:am|pm|oclock)\\b)`, 'g'), (m, today) => monthDay(m[1], m[2], today)],
  [/\b(?:on )?the (\d{1,2})th\b|\b(\d{1,2})th\b/g, (m, today) => dayOfMonth(Number(m[1] ?? m[2]), today)],
  [/\b(?:the )?day after tomorrow\b/g, (_, today) => addDays(today, 2)],
  [/\btomorrow\b/g, (_, today) => addDays(today, 1)],
  [
    new RegExp(`\\ba week (?:on|from) ${WEEKDAY}\\b|\\b${WEEKDAY} week\\b`, 'g'),
    (m, today) => addDays(nextWeekday(m[1] ?? m[2], today), 7),
  ],
  [new RegExp(`\\b(?:on )?(?:next |this |coming )?${WEEKDAY}\\b`, 'g'), (m, today) => nextWeekday(m[1], today)],
  [/\bin (?:(\d{1,2})|a) (day|week)s?\b/g, (m, today) => addDays(today, Number(m[1] ?? 1) * (m[2] === 'week' ? 7 : 1))],
  [/\b(?:today|tonight|this (?:morning|afternoon|evening))\b/g, (_, today) => today],
];

/** The day named last, because corrections come last; what follows "not" is not meant. */
export function findDay(text: string, today: string): FoundDay | undefined {
  const wanted = text.replace(new RegExp(`\\bnot (?:on )?(?:the )?(?:next )?(?:${WEEKDAY}|today|tomorrow|\\d{1,2}th)\\b`, 'g'), ' ');
  for (const [pattern, read] of readers) {
    const match = [...wanted.matchAll(pattern)].at(-1);
    const date = match === undefined ? undefined : read(match, today);
    if (match === undefined || date === undefined) continue;
    return {
      date,
      rest: wanted
        .replace(pattern, ' ')
        .replace(new RegExp(`\\b${WEEKDAY}\\b`, 'g'), ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    };
  }
  return undefined;
}

/** The first such day after today: whoever means today says so. */
function nextWeekday(name: string | undefined, today: string): string {
  const wanted = weekdays.findIndex((day) => day === name);
  const ahead = (wanted - weekdays.indexOf(weekdayOf(today)) + 7) % 7;
  return addDays(today, ahead === 0 ? 7 : ahead);
}

/** This year's, or next year's when that is over. */
function monthDay(month: string | undefined, day: string | undefined, today: string): string | undefined {
  const thisYear = Number(today.slice(0, 4));
  const dates = [thisYear, thisYear + 1].map((year) => isoDate(year, months.indexOf(month ?? '') + 1, Number(day)));
  return dates.find((date) => isDate(date) && date >= today);
}

function dayOfMonth(day: number, today: string): string | undefined {
  const [year, month] = [Number(today.slice(0, 4)), Number(today.slice(5, 7))];
  const candidates = [0, 1, 2].map((ahead) => isoDate(year + Math.floor((month - 1 + ahead) / 12), ((month - 1 + ahead) % 12) + 1, day));
  return candidates.find((date) => isDate(date) && date >= today);
}

const isoDate = (year: number, month: number, day: number): string =>
  `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;

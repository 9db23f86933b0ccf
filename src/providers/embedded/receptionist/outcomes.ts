/** What a tool found → what the caller hears, and what is asked next. */
import { minutesOf, spokenTime } from '../../../domain/opening-hours.ts';
import { say, type Answer, type Desk } from './answer.ts';
import { askName, book, NO_DIARY } from './booking.ts';
import { spokenDate, spokenList } from './facts.ts';
import type { Memory, ToolOutcome } from './memory.ts';
import type { PartOfDay } from './times.ts';

const MORE = 'Is there anything else I can do for you?';
/** Nobody remembers more by ear. */
const TIMES_SPOKEN = 3;

export function speakOutcome(desk: Desk, { name, result }: ToolOutcome): Answer {
  const summary = typeof result['summary'] === 'string' ? result['summary'].trim() : '';
  if (name === 'get_opening_hours') return speakHours(desk, summary);
  if (name === 'end_call') return say('Thank you for calling. Goodbye!');
  if (name === 'check_availability' && Array.isArray(result['free'])) return speakAvailability(desk, { summary, result });
  if (name === 'book_appointment' && result['booked'] === true)
    return say(desk.memory.made === undefined ? `You are booked. ${sentence(summary)} ${MORE}` : madeAppointment(desk.memory));
  if (name === 'book_appointment' && result['booked'] === false)
    return say(`I am sorry. ${summary} Would another day or another time suit you?`);
  if (result['status'] === 'pending') return say('I am still writing that into the diary. One moment please.');
  return say(NO_DIARY);
}

/** Three sentences on purpose: long enough that a caller may cut in. */
function speakHours({ memory }: Desk, summary: string): Answer {
  if (summary === '') return say(`I am sorry, I cannot look up the opening hours just now. ${MORE}`);
  const next = memory.booking
    ? 'Now for your appointment: which day and time would suit you?'
    : 'If you would like to come in, I can book an appointment for you right now. Just tell me which day and time would suit you best.';
  return say(`${sentence(summary)} ${next}`);
}

function speakAvailability(desk: Desk, { summary, result }: { summary: string; result: ToolOutcome['result'] }): Answer {
  const { memory } = desk;
  const { date = '', time } = memory;
  if (time !== undefined && memory.free === `${date} ${time}`)
    return memory.name === undefined && !memory.nameless ? askName(desk) : book(desk);
  const asked = result['requested'] as { reason?: unknown } | undefined;
  const free = (result['free'] as readonly unknown[]).filter(
    (each): each is string => typeof each === 'string' && !Number.isNaN(minutesOf(each)),
  );
  if (memory.part === undefined && asked !== undefined)
    return say(`I am sorry. ${sentence(summary)} Would another day or another time suit you?`);
  const inPart = free.filter((each) => partOf(each) === (memory.part ?? partOf(each)));
  const on = `${spokenDate(date)}${memory.part === undefined ? '' : ` in the ${memory.part}`}`;
  if (inPart.length > 0) return say(`On ${on} I have ${spokenList(spread(inPart).map(spokenTime))}. What time would you like?`);
  if (free.length > 0)
    return say(`On ${on} nothing is free. That day I still have ${spokenList(spread(free).map(spokenTime))}. What time would you like?`);
  return say(`I am sorry. ${sentence(summary || `Nothing is free on ${spokenDate(date)}`)} Which other day would suit you?`);
}

export function madeAppointment({ made, name }: Memory): string {
  const under = name === undefined ? '' : `, under the name ${name}`;
  const put = made === undefined ? '' : ` I have put you down for ${spokenDate(made.date)} at ${spokenTime(made.time)}${under}.`;
  return `You are booked.${put} ${MORE}`;
}

/** First, middle and last: a better picture of the day than three in a row. */
function spread(times: readonly string[]): readonly string[] {
  if (times.length <= TIMES_SPOKEN) return times;
  return [0, Math.floor((times.length - 1) / 2), times.length - 1].map((at) => times[at] ?? '');
}

const partOf = (time: string): PartOfDay => (minutesOf(time) < 720 ? 'morning' : minutesOf(time) < 1_020 ? 'afternoon' : 'evening');

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

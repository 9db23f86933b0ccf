/** The next step towards an appointment: ask for what is missing, look it up, write it into the diary. */
import { spokenTime } from '../../../domain/opening-hours.ts';
import { callTool, isOffered, say, type Answer, type Desk } from './answer.ts';
import { spokenDate } from './facts.ts';
import type { Intent } from './meaning.ts';

export const NO_DIARY = 'I am sorry, I cannot reach the appointment book just now. Shall I try again?';

/** A time inside the part of the day that was asked for; the diary answers with what is free around it. */
const middleOf = { morning: '10:00', afternoon: '14:00', evening: '18:00' } as const;

export function continueBooking(desk: Desk): Answer {
  const { memory } = desk;
  const { date, time, part } = memory;
  if (date === undefined) {
    const at = time === undefined ? '' : ` at ${spokenTime(time)}`;
    const answered =
      memory.asked === 'day' && !['book', 'availability', 'confirm'].some((intent) => memory.meaning?.intents.has(intent as Intent));
    return answered && time === undefined
      ? say('I am sorry, I did not catch the day. Which day would you like to come? You can say, for example, next Monday or tomorrow.')
      : say(`With pleasure. Which day would you like to come${at}?`);
  }
  if (time === undefined) {
    if (memory.asked === 'other' && memory.meaning?.intents.has('confirm') && memory.meaning.date === undefined)
      return say('Which day and time would you like?');
    if (memory.asked === 'time' && memory.meaning?.date === undefined && part === undefined) {
      return say(`I am sorry, I did not catch the time. Which time would suit you on ${spokenDate(date)}?`);
    }
    return lookUp(desk, part === undefined ? { date } : { date, time: middleOf[part] });
  }
  if (memory.free !== `${date} ${time}`) return lookUp(desk, { date, time });
  return memory.name === undefined && !memory.nameless ? askName(desk) : book(desk);
}

function lookUp(desk: Desk, args: Readonly<Record<string, string>>): Answer {
  return isOffered(desk, 'check_availability') ? callTool('check_availability', args) : say(NO_DIARY);
}

/** The time is free. A name is asked for twice, then an appointment without one is offered. */
export function askName({ memory }: Desk): Answer {
  if (memory.nameAsked === 0) return say(`${spokenSlot(memory)} is free. What name should I put it under?`);
  const refuses = memory.asked === 'name' && memory.meaning?.intents.has('deny') === true;
  if (memory.nameAsked === 1 && !refuses) return say('I am sorry, I did not catch your name. What is your name, please?');
  return say(`Shall I put ${spokenSlot(memory)} into the diary without a name?`);
}

export function book(desk: Desk): Answer {
  const { date = '', time = '', name, service } = desk.memory;
  if (!isOffered(desk, 'book_appointment')) return say(NO_DIARY);
  return callTool('book_appointment', {
    date,
    time,
    ...(name === undefined ? {} : { name }),
    ...(service === undefined ? {} : { service }),
  });
}

const spokenSlot = ({ date = '', time = '' }: Desk['memory']): string => `${spokenDate(date)} at ${spokenTime(time)}`;

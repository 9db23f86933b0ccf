/**
 * A receptionist made of rules: (messages, tools, now) → words or tool calls. Pure, and stateless
 * like any chat completion: everything is read from the messages. README.md lists what it understands.
 */
import type { ChatMessage } from '../completion/messages.ts';
import { continueBooking } from './booking.ts';
import { givesUp, remember, type Memory } from './memory.ts';
import { madeAppointment, speakOutcome } from './outcomes.ts';
import { callTool, isOffered, say, type Answer, type Desk } from './answer.ts';

export type { Answer } from './answer.ts';

export interface Question {
  readonly messages: readonly ChatMessage[];
  /** Names of the tools that may be called now. */
  readonly tools: readonly string[];
  readonly now: Date;
}

export function answerCaller(question: Question): Answer {
  const latest = question.messages.at(-1);
  const begun = latest?.role === 'assistant' && (latest.tool_calls ?? []).length === 0 ? (latest.content?.trim() ?? '') : '';
  if (begun === '') return answerAnew(question);
  // An answer that broke off is continued, as language models do.
  const whole = answerAnew({ ...question, messages: question.messages.slice(0, -1) });
  return whole.text.startsWith(begun) ? { ...whole, text: whole.text.slice(begun.length).trimStart() } : answerAnew(question);
}

function answerAnew({ messages, tools, now }: Question): Answer {
  const memory = remember(messages, now);
  const desk: Desk = { memory, tools };
  const outcome = messages.at(-1)?.role === 'tool' ? memory.outcomes.at(-1) : undefined;
  return outcome === undefined ? answerWords(desk) : speakOutcome(desk, outcome);
}

function answerWords(desk: Desk): Answer {
  const { memory } = desk;
  const { meaning } = memory;
  if (meaning === undefined) return say(`Hello, this is ${memory.facts.business ?? 'the receptionist'}. How can I help you?`);
  const heard = (intent: Parameters<typeof meaning.intents.has>[0]): boolean => meaning.intents.has(intent);
  if (heard('repeat')) return say(repeated(memory));
  if (heard('identity')) return say(`I am an automated receptionist${ofBusiness(memory)}, not a person. ${OFFER}`);
  if (heard('human'))
    return say(`I am sorry, I am an automated receptionist and I cannot put you through to a person on this line. ${OFFER}`);
  if (leaves(memory)) return goodbye(desk);
  if (heard('hours') && !heard('book')) return openingHours(desk);
  if (heard('cancel'))
    return say(
      'I am sorry, I cannot change or cancel an appointment that is already in the diary. I can book a new one for you. Is there anything else I can do for you?',
    );
  if (memory.asksForMade) return say(madeAppointment(memory));
  if (givesUp(memory, meaning)) return say('All right, I have not made any appointment. Is there anything else I can do for you?');
  if (heard('information') && !saysAppointment(memory)) return say(`I am sorry, I do not have that information here. ${OFFER}`);
  if (memory.booking) return continueBooking(desk);
  if (heard('thanks')) return say('You are welcome. Is there anything else I can do for you?');
  if (heard('greeting')) return say(`Hello! ${OFFER}`);
  if (memory.asked === 'more' && heard('confirm')) return say('Of course. What can I do for you?');
  if (heard('deny')) return say('All right. Is there anything else I can do for you?');
  return notUnderstood(memory);
}

export const OFFER = 'I can tell you our opening hours, or I can book an appointment for you. What would you like?';

const ofBusiness = ({ facts }: Memory): string => (facts.business === undefined ? '' : ` of ${facts.business}`);

const saysAppointment = ({ meaning }: Memory): boolean =>
  meaning?.date !== undefined || meaning?.time !== undefined || meaning?.intents.has('book') === true;

/** A goodbye, "that is all", "no" to "anything else?", unless an appointment is asked for in the same breath. */
function leaves(memory: Memory): boolean {
  const intents = memory.meaning?.intents;
  if (intents === undefined || saysAppointment(memory)) return false;
  return intents.has('goodbye') || intents.has('done') || (memory.asked === 'more' && intents.has('deny'));
}

function goodbye(desk: Desk): Answer {
  const words = `${desk.memory.booking ? 'All right, I have not made any appointment. ' : ''}Thank you for calling${desk.memory.facts.business === undefined ? '' : ` ${desk.memory.facts.business}`}. Goodbye!`;
  return isOffered(desk, 'end_call') ? { ...callTool('end_call', { reason: 'The caller said goodbye' }), text: words } : say(words);
}

function openingHours(desk: Desk): Answer {
  const { facts, meaning } = desk.memory;
  if (isOffered(desk, 'get_opening_hours')) return callTool('get_opening_hours', meaning?.date === undefined ? {} : { date: meaning.date });
  return say(
    facts.openingHours === undefined
      ? 'I am sorry, I do not have the opening hours here.'
      : `Our opening hours are: ${facts.openingHours}.`,
  );
}

const repeated = ({ lastAgentText }: Memory): string =>
  lastAgentText === '' ? `How can I help you? ${OFFER}` : `Of course. ${lastAgentText.replace(/^Of course\. /, '')}`;

function notUnderstood({ unclear }: Memory): Answer {
  if (unclear === 0) return say(`I am sorry, I did not understand that. ${OFFER}`);
  if (unclear === 1)
    return say(
      'I am sorry, I still did not understand you. Please say it in other words. For example: I would like an appointment on Monday at ten.',
    );
  return say('I am sorry, I did not understand that either. You can ask me for the opening hours, book an appointment, or say goodbye.');
}

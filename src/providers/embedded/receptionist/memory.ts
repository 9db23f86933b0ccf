/** What the conversation so far amounts to. Pure fold over the messages: the server keeps no state between requests. */
import type { ChatMessage } from '../completion/messages.ts';
import { readFacts, type Facts } from './facts.ts';
import { understand, type Asked, type Meaning } from './meaning.ts';
import type { PartOfDay } from './times.ts';

export interface ToolOutcome {
  readonly name: string;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface Memory {
  readonly facts: Facts;
  /** Slots of the appointment that is being made. */
  readonly date: string | undefined;
  readonly time: string | undefined;
  readonly part: PartOfDay | undefined;
  readonly service: string | undefined;
  readonly name: string | undefined;
  /** The caller wants an appointment, and it is not made yet. */
  readonly booking: boolean;
  /** The time that was refused on another day; "Friday instead" means the same hour. */
  readonly refusedTime: string | undefined;
  /** "date time" that the diary said is free. */
  readonly free: string | undefined;
  /** How often the name was asked for since the time was found free. */
  readonly nameAsked: number;
  /** The caller agreed to an appointment without a name. */
  readonly nameless: boolean;
  /** The latest appointment that went into the diary. */
  readonly made: { readonly date: string; readonly time: string } | undefined;
  /** The caller names the hour of that appointment again: they have not heard that it is made. */
  readonly asksForMade: boolean;
  /** Last thing the caller said, and what it meant; undefined before they said anything. */
  readonly meaning: Meaning | undefined;
  readonly asked: Asked;
  readonly lastAgentText: string;
  /** Times in a row that the agent did not understand. */
  readonly unclear: number;
  /** Results of tools since the caller spoke last. */
  readonly outcomes: readonly ToolOutcome[];
}

const noAppointment = {
  date: undefined,
  time: undefined,
  part: undefined,
  service: undefined,
  booking: false,
  refusedTime: undefined,
  free: undefined,
  nameAsked: 0,
  nameless: false,
} as const;

export function remember(messages: readonly ChatMessage[], now: Date): Memory {
  const system = messages.filter((message) => message.role === 'system' || message.role === 'developer').map((message) => message.content);
  let memory: Memory = {
    ...noAppointment,
    facts: readFacts(system.join('\n'), now),
    name: undefined,
    made: undefined,
    asksForMade: false,
    meaning: undefined,
    asked: 'nothing',
    lastAgentText: '',
    unclear: 0,
    outcomes: [],
  };
  const toolNames = new Map<string, string>();
  for (const message of messages) {
    if (message.role === 'user') memory = afterCaller(memory, message.content);
    else if (message.role === 'assistant') {
      for (const call of message.tool_calls ?? []) toolNames.set(call.id, call.function.name);
      memory = afterAgent(memory, message.content?.trim() ?? '');
    } else if (message.role === 'tool') {
      memory = afterTool(memory, { name: toolNames.get(message.tool_call_id) ?? '', result: parseResult(message.content) });
    }
  }
  return memory;
}

function afterCaller(memory: Memory, said: string): Memory {
  const meaning = understand(said, { today: memory.facts.today, asked: memory.asked });
  const next = { ...memory, meaning, outcomes: [], asksForMade: namesMade(memory, meaning) };
  if (next.asksForMade) return next;
  if (givesUp(memory, meaning)) return { ...next, ...noAppointment };
  const name = meaning.name ?? memory.name;
  // A day in a question about the opening hours is not a wish for an appointment.
  const asksHours = meaning.intents.has('hours') && !meaning.intents.has('book');
  if (asksHours || meaning.intents.has('cancel')) return { ...next, name };
  const wishes = meaning.intents.has('book') || meaning.intents.has('availability') || meaning.service !== undefined;
  const dated = meaning.date !== undefined || meaning.time !== undefined || meaning.part !== undefined;
  const accepts = (memory.asked === 'offer' || memory.asked === 'day') && meaning.intents.has('confirm');
  const date = meaning.date ?? memory.date;
  // "Do you have anything on Friday" after Monday at ten asks anew; "Friday instead" keeps the hour.
  const time =
    meaning.time ??
    (meaning.part === undefined ? (memory.time ?? (meaning.date === undefined ? undefined : memory.refusedTime)) : undefined);
  return {
    ...next,
    date,
    time,
    part: time === undefined ? (meaning.part ?? memory.part) : undefined,
    service: meaning.service ?? memory.service,
    name,
    nameAsked: date === memory.date && time === memory.time ? memory.nameAsked : 0,
    booking: memory.booking || wishes || dated || accepts,
    nameless: memory.nameless || (memory.asked === 'nameless' && meaning.intents.has('confirm') && name === undefined),
  };
}

function namesMade({ made, booking }: Memory, { date, time, intents }: Meaning): boolean {
  if (made === undefined || booking || time !== made.time) return false;
  return (date === undefined || date === made.date) && !intents.has('book') && !intents.has('cancel');
}

/** "never mind", or "no" where the agent asked whether to go on with the appointment. */
export function givesUp(memory: Pick<Memory, 'asked'>, meaning: Meaning): boolean {
  const offersToGoOn = memory.asked === 'nameless' || memory.asked === 'retry' || memory.asked === 'other';
  const saysMore = meaning.date !== undefined || meaning.time !== undefined || meaning.part !== undefined || meaning.name !== undefined;
  return meaning.intents.has('drop') || (offersToGoOn && meaning.intents.has('deny') && !saysMore);
}

function afterAgent(memory: Memory, text: string): Memory {
  if (text === '') return memory;
  const asked = askedIn(text);
  const madeBefore = /\byou are booked\b/i.test(text);
  return {
    ...memory,
    // After a takeover the tools' results are gone from the history; the agent's words still tell.
    ...(madeBefore ? noAppointment : {}),
    asked,
    lastAgentText: text,
    nameAsked: asked === 'name' ? memory.nameAsked + 1 : memory.nameAsked,
    unclear: /\bdid not (?:catch|understand)\b|\bsay that again\b/i.test(text) ? memory.unclear + 1 : 0,
  };
}

/** Only what the caller heard counts: an interrupted question was not asked. */
function askedIn(text: string): Asked {
  if (/\byou are booked\b/i.test(text)) return 'more';
  if (/\bwithout a name\b/i.test(text)) return 'nameless';
  if (/\bshall i try\b/i.test(text)) return 'retry';
  if (/\banother day\b/i.test(text)) return 'other';
  if (/\bname\b[^.?]*\??$/i.test(text)) return 'name';
  if (/\b(?:which|what) (?:other )?day\b|\bday and time\b/i.test(text)) return 'day';
  if (/\b(?:which|what) time\b/i.test(text)) return 'time';
  if (/\banything else\b/i.test(text)) return 'more';
  return /\bwould you like to (?:book|make)\b|\bcan book\b/i.test(text) ? 'offer' : 'nothing';
}

function afterTool(memory: Memory, outcome: ToolOutcome): Memory {
  const next = { ...memory, outcomes: [...memory.outcomes, outcome] };
  const { result } = outcome;
  if (outcome.name === 'book_appointment') {
    if (result['booked'] === true) return { ...next, ...noAppointment, made: slotOf(result) };
    return result['booked'] === false ? { ...next, time: undefined, refusedTime: memory.time, free: undefined } : next;
  }
  const requested = result['requested'];
  if (outcome.name !== 'check_availability' || typeof requested !== 'object' || requested === null) return next;
  const { time, available } = requested as { time?: unknown; available?: unknown };
  if (time !== memory.time) return next;
  return available === true
    ? { ...next, free: `${memory.date} ${memory.time}` }
    : { ...next, time: undefined, refusedTime: memory.time, free: undefined };
}

function slotOf({ date, time }: ToolOutcome['result']): Memory['made'] {
  return typeof date === 'string' && typeof time === 'string' ? { date, time } : undefined;
}

function parseResult(content: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

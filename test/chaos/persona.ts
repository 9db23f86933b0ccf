/** Who calls, and what the agent must still know after the fault: a name, a day, an hour. Pure. */
import type { Step } from '../../setup/demo/script-steps.ts';
import { localDateTime } from '../../src/domain/local-time.ts';
import type { Weekday } from '../../src/domain/opening-hours.ts';

export interface Persona {
  readonly name: string;
  readonly day: Weekday;
  readonly hour: { readonly said: string; readonly clock: string };
}

const names = (
  'john smith, anna miller, peter clark, susan baker, mary jones, david young, laura hill, frank moore, helen king, george adams, ' +
  'linda scott, robert green, karen white, james wood, emma fisher, paul carter, julia stone, mark turner, nancy cooper, steven ward, ' +
  'diana bell, oliver price, sarah wells, thomas reed, alice grant, henry marsh, ruth palmer, simon hayes, clara dixon, walter shaw'
).split(', ');
const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const;
const hours = [
  ['nine in the morning', '09:00'],
  ['ten in the morning', '10:00'],
  ['eleven in the morning', '11:00'],
  ['two in the afternoon', '14:00'],
  ['three in the afternoon', '15:00'],
  ['four in the afternoon', '16:00'],
] as const;

/** So many want different hours of one week. */
export const PERSONAS = names.length;

export function persona(n: number): Persona {
  const i = n % PERSONAS;
  const [said, clock] = hours[Math.floor(i / days.length) % hours.length] ?? hours[0];
  return { name: names[i] ?? '', day: days[i % days.length] ?? 'monday', hour: { said, clock } };
}

export const lines = {
  wish: ({ name, day }: Persona): string => `my name is ${name} and i would like an appointment on ${day}`,
  hour: ({ hour }: Persona): string => `i would like to come at ${hour.said} please`,
  goodbye: 'no that is everything thank you goodbye',
  /** Of the call that lasts an hour. */
  question: 'what are your opening hours',
};

/** Every line that any caller may say. */
export function allLines(): string[] {
  const all = Array.from({ length: PERSONAS }, (_, n) => persona(n));
  return [...new Set([...all.map(lines.wish), ...all.map(lines.hour), lines.goodbye, lines.question])];
}

/** Where in its conversation a call is when the fault strikes. */
export const phases = ['greeting', 'agent speaking', 'caller speaking', 'tool running', 'goodbye'] as const;
export type Phase = (typeof phases)[number];

const HEAR_TIMEOUT_MS = 60_000;
/** An agent that cannot reach the diary for a minute is asked again for longer than that; each time takes ten seconds and more. */
const TRIES_TO_BOOK = 12;

/** The caller waits in front of the step that the fault is to hit; a greeting is hit by when the call is placed. */
export function scriptOf(who: Persona, phase: Phase): Step[] {
  const hold = (here: Phase): Step[] => (here === phase ? [{ do: 'wait', name: 'the others' }] : []);
  const hear = (what: string, expect: RegExp) => ({ do: 'hear', what, expect, timeoutMs: HEAR_TIMEOUT_MS }) as const;
  return [
    hear('a greeting', /help you/i),
    ...hold('agent speaking'),
    { do: 'say', text: lines.wish(who) },
    { ...hear('the question for the hour', /what time would you like/i), tries: TRIES_TO_BOOK },
    ...hold('caller speaking'),
    ...hold('tool running'),
    { do: 'say', text: lines.hour(who) },
    { ...hear('that the appointment is booked', /i have put you down/i), tries: TRIES_TO_BOOK },
    ...hold('goodbye'),
    { do: 'say', text: lines.goodbye },
    hear('a goodbye', /goodbye/i),
    { do: 'await_hangup', timeoutMs: 30_000 },
  ];
}

/** Which of the persona's lines is in play when the fault strikes, if one is. */
export function lineAt(who: Persona, phase: Phase): string | null {
  if (phase === 'greeting') return null;
  if (phase === 'agent speaking') return lines.wish(who);
  return phase === 'goodbye' ? lines.goodbye : lines.hour(who);
}

/** Whether an appointment is the one that was asked for. */
export function isWish(who: Persona, booking: { readonly startsAt: Date; readonly name: string | null }, timeZone: string): boolean {
  const { weekday, time } = localDateTime(booking.startsAt, timeZone);
  return booking.name?.toLowerCase() === who.name && weekday === who.day && time === who.hour.clock;
}

/** What the agent must have been heard saying: the name and the day together. */
export function recalls(who: Persona, heard: string): boolean {
  const said = heard.toLowerCase();
  return said.includes(`under the name ${who.name}`) && said.includes(`put you down for ${who.day}`);
}

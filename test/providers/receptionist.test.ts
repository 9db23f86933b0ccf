/** The embedded receptionist by conversations: what a caller says, what they hear, what is done for them. */
import type { ChatMessage } from '../../src/providers/embedded/completion/messages.ts';
import { answerCaller } from '../../src/providers/embedded/receptionist/receptionist.ts';
import { spokenTime } from '../../src/domain/opening-hours.ts';

const SATURDAY = new Date('2026-11-21T15:00:00Z');
const SYSTEM = [
  'You are the receptionist.',
  'Business name: Bright Smile Dental',
  'Today: 2026-11-21 (Saturday)',
  'Opening hours: Monday to Friday from 9 AM to 5 PM',
].join('\n');
const TOOLS = ['get_opening_hours', 'check_availability', 'book_appointment', 'end_call'];

interface Diary {
  /** "date time" that are taken. */
  readonly taken?: readonly string[];
  readonly failing?: boolean;
}

/** One call: history grows as the media node's does. */
function startCall(diary: Diary = {}) {
  const messages: ChatMessage[] = [{ role: 'system', content: SYSTEM }];
  const ran: { name: string; args: Record<string, string> }[] = [];
  let calls = 0;

  /** Says it; runs tools until the agent speaks. */
  function hear(words: string): string {
    messages.push({ role: 'user', content: words });
    const spoken: string[] = [];
    for (let round = 0; round < 4; round++) {
      const answer = answerCaller({ messages, tools: TOOLS, now: SATURDAY });
      if (answer.text !== '') spoken.push(answer.text);
      const toolCalls = answer.toolCalls.map((call) => ({ id: `call_${++calls}`, type: 'function' as const, function: { ...call } }));
      messages.push({ role: 'assistant', content: answer.text, ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }) });
      for (const call of toolCalls) {
        const args = JSON.parse(call.function.arguments) as Record<string, string>;
        ran.push({ name: call.function.name, args });
        messages.push({ role: 'tool', tool_call_id: call.id, content: JSON.stringify(runTool(call.function.name, args, diary)) });
      }
      if (toolCalls.every((call) => call.function.name === 'end_call')) break;
    }
    return spoken.join(' ');
  }
  /** The caller heard only the first words of the last answer. */
  const interruptAfter = (words: number): void => {
    const last = messages.findLast((message) => message.role === 'assistant');
    if (last?.role === 'assistant') last.content = (last.content ?? '').split(' ').slice(0, words).join(' ');
  };
  const done = (name: string) => ran.filter((run) => run.name === name).map((run) => run.args);
  return { hear, interruptAfter, done, messages };
}

function runTool(name: string, args: Record<string, string>, diary: Diary): unknown {
  const { date = '', time } = args;
  if (diary.failing === true) return { error: 'The tool gave no answer in time.' };
  if (name === 'get_opening_hours')
    return {
      summary: 'Bright Smile Dental is open Monday to Friday from 9 AM to 5 PM; closed on Saturday and Sunday.',
      timezone: 'America/New_York',
    };
  const day = ['09:00', '10:00', '11:30', '13:00', '14:30', '16:00'];
  const isTaken = (at: string): boolean => diary.taken?.includes(`${date} ${at}`) === true;
  if (name === 'check_availability') {
    const free = day.filter((at) => !isTaken(at));
    if (time === undefined) return { summary: 'Some times are free.', date, weekday: '', free, free_count: free.length };
    const available = !isTaken(time);
    const summary = available ? 'It is free.' : `${spokenTime(time)} is already taken. Free that day: 1 PM.`;
    return {
      summary,
      date,
      weekday: '',
      free,
      free_count: free.length,
      requested: { time, available, ...(available ? {} : { reason: 'taken' }) },
    };
  }
  if (name === 'book_appointment') return { summary: 'Booked.', booked: true, booking_id: 'b', date, time, weekday: '' };
  return { ending: true };
}

describe('the embedded receptionist', () => {
  it('holds the whole demo conversation: hours, interruption, booking with a name, goodbye', () => {
    const call = startCall();
    expect(call.hear('what are your opening hours')).toMatch(/Monday to Friday from 9 AM to 5 PM.*appointment/);
    call.interruptAfter(4);
    expect(call.hear('i would like to book an appointment for monday at ten')).toBe(
      'Monday, November 23 at 10 AM is free. What name should I put it under?',
    );
    expect(call.hear('my name is john smith')).toBe(
      'You are booked. I have put you down for Monday, November 23 at 10 AM, under the name John Smith. Is there anything else I can do for you?',
    );
    expect(call.hear('no thank you goodbye')).toBe('Thank you for calling Bright Smile Dental. Goodbye!');
    expect(call.done('book_appointment')).toEqual([{ date: '2026-11-23', time: '10:00', name: 'John Smith' }]);
    expect(call.done('end_call')).toHaveLength(1);
  });

  it('says again what it has booked to a caller who names that hour again, and books another hour as a new wish', () => {
    const call = startCall();
    call.hear('my name is anna miller and i would like an appointment on monday');
    const made = call.hear('i would like to come at ten in the morning please');
    expect(made).toMatch(/^You are booked\..*Monday, November 23 at 10 AM, under the name Anna Miller/);
    call.interruptAfter(1);
    expect(call.hear('i would like to come at ten in the morning please')).toBe(made);
    expect(call.done('book_appointment')).toHaveLength(1);
    expect(call.hear('can i book another appointment at eleven')).toMatch(/which day/i);
  });

  it('says goodbye first and hangs up in the same answer', () => {
    const answer = answerCaller({
      messages: [
        { role: 'system', content: SYSTEM },
        { role: 'user', content: 'Thanks, bye!' },
      ],
      tools: TOOLS,
      now: SATURDAY,
    });
    expect(answer.text).toMatch(/Goodbye!$/);
    expect(answer.toolCalls.map((call) => call.name)).toEqual(['end_call']);
  });

  it('fills the slots one by one', () => {
    const call = startCall();
    expect(call.hear('i need an appointment')).toMatch(/which day/i);
    expect(call.hear('tomorrow')).toMatch(/Sunday, November 22 I have 9 AM, 11:30 AM and 4 PM\. What time/);
    expect(call.hear('half past two')).toMatch(/at 2:30 PM is free\. What name/);
    expect(call.hear('anna')).toMatch(/You are booked.*Anna/);
    expect(call.done('book_appointment')).toEqual([{ date: '2026-11-22', time: '14:30', name: 'Anna' }]);
  });

  it('offers only the part of the day that was asked for', () => {
    const call = startCall();
    expect(call.hear('do you have anything free on thursday afternoon')).toMatch(
      /Thursday, November 26 in the afternoon I have 1 PM, 2:30 PM and 4 PM/,
    );
    expect(call.hear('two thirty please')).toMatch(/November 26 at 2:30 PM is free/);
  });

  it('follows a change of mind before booking', () => {
    const call = startCall();
    call.hear('book me in for tuesday at ten');
    expect(call.hear('no wait i meant thursday not tuesday')).toMatch(/Thursday, November 26 at 10 AM is free/);
    expect(call.hear('actually can we make it eleven instead')).toMatch(/Thursday, November 26 at 11 AM is free/);
    call.hear('john miller');
    expect(call.done('book_appointment')).toEqual([{ date: '2026-11-26', time: '11:00', name: 'John Miller' }]);
  });

  it('offers another time when the wish is taken, and keeps the hour for another day', () => {
    const call = startCall({ taken: ['2026-11-23 10:00'] });
    expect(call.hear('can i come on monday at ten')).toMatch(/already taken.*another day or another time/);
    expect(call.hear('then friday')).toMatch(/Friday, November 27 at 10 AM is free/);
  });

  it('books nothing when the caller gives up', () => {
    const call = startCall({ taken: ['2026-11-23 10:00'] });
    call.hear('can i come on monday at ten');
    expect(call.hear('no thank you')).toMatch(/not made any appointment.*anything else/);
    expect(call.hear('no')).toMatch(/Goodbye/);
    expect(call.done('book_appointment')).toEqual([]);
  });

  it('books without a name only after asking for it twice and being told to', () => {
    const call = startCall();
    call.hear('an appointment on monday at ten please');
    expect(call.hear('yes please')).toMatch(/did not catch your name/);
    expect(call.hear('yes')).toMatch(/without a name/);
    expect(call.done('book_appointment')).toEqual([]);
    expect(call.hear('yes please')).toMatch(/You are booked/);
    expect(call.done('book_appointment')).toEqual([{ date: '2026-11-23', time: '10:00' }]);
  });

  it('does not claim a booking when the diary cannot be reached, and tries again when told to', () => {
    const call = startCall({ failing: true });
    expect(call.hear('book me in on monday at ten')).toMatch(/cannot reach the appointment book/);
    expect(call.hear('yes')).toMatch(/cannot reach the appointment book/);
    expect(call.done('check_availability')).toHaveLength(2);
  });

  it('answers a question in the middle of a booking and comes back to it', () => {
    const call = startCall();
    call.hear('i would like an appointment');
    expect(call.hear('what are your opening hours')).toMatch(/Now for your appointment/);
    expect(call.hear('wednesday at three')).toMatch(/Wednesday, November 25 at 3 PM is free/);
  });

  it('makes a second appointment after the first', () => {
    const call = startCall();
    call.hear('book me in for monday at ten my name is john smith');
    expect(call.done('book_appointment')).toHaveLength(1);
    call.hear('can i also come on tuesday at nine');
    expect(call.done('book_appointment')).toEqual([
      { date: '2026-11-23', time: '10:00', name: 'John Smith' },
      { date: '2026-11-24', time: '09:00', name: 'John Smith' },
    ]);
  });

  it('asks about the day of a question for the opening hours', () => {
    const call = startCall();
    call.hear('are you open on sunday');
    expect(call.done('get_opening_hours')).toEqual([{ date: '2026-11-22' }]);
    expect(call.done('check_availability')).toEqual([]);
  });

  it('repeats what it said', () => {
    const call = startCall();
    const first = call.hear('i need an appointment');
    expect(call.hear('sorry what did you say')).toBe(`Of course. ${first}`);
  });

  it('says that it is no person and offers what it can do', () => {
    const call = startCall();
    expect(call.hear('can i speak to a human please')).toMatch(/automated receptionist.*opening hours.*appointment/);
    expect(call.hear('are you a robot')).toMatch(/automated receptionist/);
  });

  it('invents nothing for what it does not know', () => {
    const call = startCall();
    expect(call.hear('how much does it cost')).toMatch(/do not have that information/);
    expect(call.hear('i would like to cancel my appointment')).toMatch(/cannot change or cancel/);
    expect(call.hear('my dog ate the newspaper')).toMatch(/did not understand/);
    expect(call.hear('the weather is terrible')).toMatch(/still did not understand/);
    expect(call.messages.filter((message) => message.role === 'tool')).toEqual([]);
  });

  it('understands recognition slips', () => {
    const call = startCall();
    expect(call.hear('what are your opening ours')).toMatch(/open Monday to Friday/);
    expect(call.hear('i would like to book an appoint meant for monday at him')).toMatch(/November 23 at 10 AM is free/);
    expect(call.hear('thank you good buy')).toMatch(/not made any appointment.*Goodbye/);
  });

  it('speaks on without tools from the facts of its prompt', () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: 'when are you open' },
    ];
    expect(answerCaller({ messages, tools: [], now: SATURDAY })).toEqual({
      text: 'Our opening hours are: Monday to Friday from 9 AM to 5 PM.',
      toolCalls: [],
    });
  });

  it('goes on behind an answer of its own that broke off, and repeats none of it', () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: 'hello' },
    ];
    const whole = answerCaller({ messages, tools: TOOLS, now: SATURDAY }).text;
    const begun = 'Hello! I can tell you our opening hours,';
    const rest = answerCaller({ messages: [...messages, { role: 'assistant', content: begun }], tools: TOOLS, now: SATURDAY }).text;
    expect(`${begun} ${rest}`).toBe(whole);
  });

  it('goes on after a takeover left only words in the history', () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: 'i would like an appointment on monday at ten' },
      { role: 'assistant', content: 'Monday, November 23 at 10 AM is free. What name should I put it under?' },
      { role: 'user', content: 'john smith' },
    ];
    const answer = answerCaller({ messages, tools: TOOLS, now: SATURDAY });
    expect(answer.toolCalls).toEqual([{ name: 'check_availability', arguments: '{"date":"2026-11-23","time":"10:00"}' }]);
  });
});

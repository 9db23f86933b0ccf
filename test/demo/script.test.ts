import { advance, startScript, type ScriptState } from '../../setup/demo/script.ts';
import type { ScriptCommand, ScriptEvent, Step } from '../../setup/demo/script-steps.ts';

/** Plays events into a script and keeps what it did. */
function play(script: readonly Step[]) {
  let state: ScriptState = startScript(0);
  const done: ScriptCommand[] = [];
  const send = (...events: ScriptEvent[]): void => {
    for (const event of events) {
      const [next, commands] = advance(script, state, event);
      state = next;
      done.push(...commands);
    }
  };
  return { send, done, outcome: () => state.outcome };
}

const speech = (fromMs: number, toMs: number, text?: string): ScriptEvent[] => [
  { kind: 'agent_on', atMs: fromMs },
  { kind: 'agent_off', atMs: toMs },
  ...(text === undefined ? [] : [{ kind: 'agent_words' as const, atMs: toMs + 50, startedAtMs: fromMs, text }]),
];
const tick = (atMs: number): ScriptEvent => ({ kind: 'tick', atMs });

const greetingThenQuestion: Step[] = [
  { do: 'hear', what: 'a greeting', expect: /welcome/i },
  { do: 'say', text: 'what are your opening hours' },
  { do: 'hear', what: 'the opening hours', expect: /nine/i },
  { do: 'hangup' },
];

describe('advance', () => {
  it('says nothing at a wait until it is told to go on, and tells once that it waits', () => {
    const caller = play([
      { do: 'wait', name: 'others' },
      { do: 'say', text: 'hello' },
    ]);
    caller.send(tick(50), { kind: 'go', atMs: 60, name: 'somebody else' }, tick(100));
    expect(caller.done).toEqual([{ do: 'waiting', name: 'others' }]);
    caller.send({ kind: 'go', atMs: 150, name: 'others' });
    expect(caller.done).toEqual([
      { do: 'waiting', name: 'others' },
      { do: 'say', text: 'hello' },
    ]);
  });

  it('waits until the agent has been quiet for 700 ms before it speaks', () => {
    const caller = play(greetingThenQuestion);
    caller.send(...speech(300, 2_000, 'Welcome to the clinic.'), tick(2_600));
    expect(caller.done).toEqual([]);
    caller.send(tick(2_700));
    expect(caller.done).toEqual([{ do: 'say', text: 'what are your opening hours' }]);
  });

  it('does not take a pause between two sentences for the end', () => {
    const caller = play(greetingThenQuestion);
    caller.send(...speech(300, 2_000, 'Welcome.'), ...speech(2_500, 4_000), tick(4_600));
    expect(caller.done).toEqual([]);
  });

  it('ends well when every expectation was heard', () => {
    const caller = play(greetingThenQuestion);
    caller.send(...speech(300, 2_000, 'Welcome.'), tick(2_700), { kind: 'spoken', atMs: 4_000 });
    caller.send(...speech(4_600, 6_000, 'From nine to five.'), tick(6_700));
    expect(caller.done.at(-1)).toEqual({ do: 'hangup' });
    expect(caller.outcome()).toEqual({ done: true, failure: null });
  });

  it('repeats what was not understood, and gives up after the third time with what it heard', () => {
    const caller = play(greetingThenQuestion);
    caller.send(...speech(300, 2_000, 'Welcome.'), tick(2_700));
    for (const at of [5_000, 10_000, 15_000]) {
      caller.send({ kind: 'spoken', atMs: at }, ...speech(at + 500, at + 1_500, "I didn't catch that, please repeat."), tick(at + 2_300));
    }
    expect(caller.done.filter((command) => command.do === 'say')).toHaveLength(3);
    expect(caller.done.at(-1)).toEqual({ do: 'hangup' });
    const outcome = caller.outcome();
    expect(outcome.done && outcome.failure).toContain('expected the opening hours');
    expect(outcome.done && outcome.failure).toContain("I didn't catch that");
  });

  it('asks again after six seconds of silence, but waits longer when it was asked to', () => {
    const asked = (answer: string, quietForMs: number): number => {
      const caller = play(greetingThenQuestion);
      caller.send(...speech(300, 2_000, 'Welcome.'), tick(2_700), { kind: 'spoken', atMs: 4_000 });
      caller.send(...speech(4_500, 6_000, answer), tick(6_000 + quietForMs));
      return caller.done.filter((command) => command.do === 'say').length;
    };
    expect([asked('Hm.', 5_900), asked('Hm.', 6_000)]).toEqual([1, 2]);
    expect([asked('One moment, please.', 11_900), asked('One moment, please.', 12_000)]).toEqual([1, 2]);
  });

  it('ignores words that were begun before its last line', () => {
    const caller = play([{ do: 'say', text: 'hello' }, { do: 'hear', what: 'a price', expect: /euro/ }, { do: 'hangup' }]);
    caller.send(tick(10_000), { kind: 'spoken', atMs: 11_000 });
    caller.send(
      { kind: 'agent_words', atMs: 11_500, startedAtMs: 5_000, text: 'ten euro' },
      ...speech(11_500, 12_000, 'One moment.'),
      tick(13_000),
    );
    expect(caller.outcome().done).toBe(false);
    caller.send(...speech(14_000, 15_000, 'Ten euro.'), tick(15_700));
    expect(caller.outcome()).toEqual({ done: true, failure: null });
  });

  it('interrupts only while the agent speaks, and only after the given time', () => {
    const caller = play([
      { do: 'interrupt', afterMs: 1_500 },
      { do: 'say', text: 'stop' },
    ]);
    caller.send({ kind: 'agent_on', atMs: 100 }, tick(1_500));
    expect(caller.done).toEqual([]);
    // A gap between two words does not start the clock again, but nobody interrupts a pause.
    caller.send({ kind: 'agent_off', atMs: 1_550 }, tick(1_650));
    expect(caller.done).toEqual([]);
    caller.send({ kind: 'agent_on', atMs: 1_700 });
    expect(caller.done).toEqual([{ do: 'say', text: 'stop' }]);
  });

  it('answers follow-up questions on the way', () => {
    const caller = play([
      { do: 'say', text: 'book me in' },
      { do: 'hear', what: 'a confirmation', expect: /booked/, answers: [{ when: /what day/, say: 'tomorrow' }] },
      { do: 'hangup' },
    ]);
    caller.send(tick(0), { kind: 'spoken', atMs: 1_000 }, ...speech(1_500, 2_000, 'For what day?'), tick(2_700));
    expect(caller.done.at(-1)).toEqual({ do: 'say', text: 'tomorrow' });
    caller.send({ kind: 'spoken', atMs: 3_500 }, ...speech(4_000, 5_000, 'You are booked.'), tick(5_700));
    expect(caller.outcome()).toEqual({ done: true, failure: null });
  });

  it('accepts the goodbye whose words arrive after the hang-up', () => {
    const caller = play([{ do: 'say', text: 'goodbye' }, { do: 'hear', what: 'a goodbye', expect: /goodbye/i }, { do: 'await_hangup' }]);
    caller.send(tick(0), { kind: 'spoken', atMs: 900 }, ...speech(1_500, 2_500), { kind: 'ended', atMs: 2_600 });
    expect(caller.outcome().done).toBe(false);
    caller.send({ kind: 'agent_words', atMs: 2_900, startedAtMs: 1_500, text: 'Thank you. Goodbye!' });
    expect(caller.outcome()).toEqual({ done: true, failure: null });
  });

  it('fails when the agent hangs up in the middle', () => {
    const caller = play(greetingThenQuestion);
    caller.send(...speech(300, 2_000, 'Welcome.'), tick(2_700), { kind: 'ended', atMs: 3_000 }, tick(8_000));
    const outcome = caller.outcome();
    expect(outcome.done && outcome.failure).toContain('the call ended at step 3');
  });

  it('fails when the agent does not hang up', () => {
    const caller = play([{ do: 'await_hangup', timeoutMs: 5_000 }]);
    caller.send(tick(4_900));
    expect(caller.outcome().done).toBe(false);
    caller.send(tick(5_000));
    expect(caller.outcome()).toMatchObject({ done: true, failure: expect.stringContaining('did not hang up') });
  });
});

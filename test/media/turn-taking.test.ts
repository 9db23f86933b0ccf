import {
  callStateOf,
  initialTurnState,
  takeTurn,
  turnDefaults,
  type TurnCommand,
  type TurnEvent,
  type TurnOptions,
  type TurnState,
} from '../../src/media/turn-taking.ts';

const options: TurnOptions = { ...turnDefaults, maxTurns: 20, maxDurationMs: 300_000, silenceReminderMs: 8_000, maxReminders: 2 };

type Body = TurnEvent extends infer E ? (E extends TurnEvent ? Omit<E, 'atMs'> : never) : never;

/** Plays a call through the reducer; time is given, never taken. */
class Call {
  state: TurnState = initialTurnState;
  atMs = 0;
  readonly options: TurnOptions;

  constructor(overrides: Partial<TurnOptions> = {}) {
    this.options = { ...options, ...overrides };
  }

  at(atMs: number, event: Body): readonly TurnCommand[] {
    this.atMs = atMs;
    const [state, commands] = takeTurn(this.state, { ...event, atMs }, this.options);
    this.state = state;
    return commands;
  }

  /** The greeting has been said and the caller may speak. */
  greeted(): this {
    this.at(0, { type: 'connected' });
    this.at(300, { type: 'agent_audible' });
    this.at(2_000, { type: 'agent_finished', endCall: false });
    return this;
  }

  /** The caller speaks for a second from `fromMs` and is transcribed 200 ms after VAD noticed the end. */
  caller(fromMs: number, text: string): readonly TurnCommand[] {
    return [
      ...this.at(fromMs + 100, { type: 'speech_started', sinceMs: fromMs }),
      ...this.at(fromMs + 1_200, { type: 'speech_ended', sinceMs: fromMs + 1_000 }),
      ...this.at(fromMs + 1_400, { type: 'transcript', transcription: this.state.transcription, text }),
    ];
  }
}

const types = (commands: readonly TurnCommand[]) => commands.map((command) => command.type);
const said = (commands: readonly TurnCommand[]) => commands.flatMap((command) => (command.type === 'say' ? [command.phrase] : []));
const ended = (commands: readonly TurnCommand[]) => commands.find((command) => command.type === 'end');

describe('takeTurn: answering', () => {
  test('greets on connect and limits the duration', () => {
    const commands = new Call().at(0, { type: 'connected' });
    expect(said(commands)).toEqual(['greeting']);
    expect(commands).toContainEqual({ type: 'set_timer', name: 'max_duration', afterMs: 300_000 });
  });

  test('a complete question is answered without further waiting once its transcript is there', () => {
    const call = new Call().greeted();
    const commands = call.caller(3_000, 'what are your opening hours');
    expect(commands).toContainEqual({ type: 'caller_turn', text: 'what are your opening hours', merged: false });
    expect(types(commands).at(-1)).toBe('reply');
    expect(callStateOf(call.state)).toBe('thinking');
  });

  test('an unfinished sentence waits for its rest, and both halves become one turn', () => {
    const call = new Call().greeted();
    const first = call.caller(3_000, 'i would like an appointment on');
    expect(types(first)).not.toContain('reply');
    expect(first).toContainEqual({ type: 'set_timer', name: 'end_of_turn', afterMs: 2_100 });
    // The second transcription covers the whole utterance.
    const second = call.caller(5_000, 'i would like an appointment on monday');
    expect(second).toContainEqual({ type: 'clear_timer', name: 'end_of_turn' });
    expect(second).toContainEqual({ type: 'caller_turn', text: 'i would like an appointment on monday', merged: false });
    expect(call.state.turns).toBe(1);
  });

  test('a caller who never finishes the sentence is answered when the long delay is over', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'my number is');
    expect(types(call.at(6_500, { type: 'timer', name: 'end_of_turn' }))).toContain('reply');
  });

  test('a transcript that arrives after the caller went on is not answered', () => {
    const call = new Call().greeted();
    call.at(3_100, { type: 'speech_started', sinceMs: 3_000 });
    call.at(4_200, { type: 'speech_ended', sinceMs: 4_000 });
    call.at(4_300, { type: 'speech_started', sinceMs: 4_250 });
    expect(call.at(4_400, { type: 'transcript', transcription: 1, text: 'book a table' })).toEqual([]);
  });

  test('words added while the answer is still being made are answered together with the first ones', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'i need an appointment');
    const added = call.caller(4_500, 'for monday at ten');
    expect(types(added)).toContain('cut');
    expect(added).toContainEqual({ type: 'caller_turn', text: 'i need an appointment for monday at ten', merged: true });
    expect(call.state.turns).toBe(1);
  });
});

describe('takeTurn: barge-in', () => {
  function talking(): Call {
    const call = new Call().greeted();
    call.caller(3_000, 'what are your opening hours');
    call.at(4_800, { type: 'agent_audible' });
    return call;
  }

  test('the agent falls silent as soon as the caller speaks', () => {
    expect(types(talking().at(6_000, { type: 'speech_started', sinceMs: 5_900 }))[0]).toBe('pause');
  });

  test('a caller who goes on speaking cuts the agent before any words are known', () => {
    const call = talking();
    call.at(6_000, { type: 'speech_started', sinceMs: 5_900 });
    expect(types(call.at(6_500, { type: 'timer', name: 'barge_in' }))).toContain('cut');
    expect(callStateOf(call.state)).toBe('listening');
  });

  test.each(['', 'mm-hm', 'Okay.', 'yeah'])('after %j the agent goes on where it stopped', (text) => {
    const call = talking();
    call.at(6_000, { type: 'speech_started', sinceMs: 5_900 });
    call.at(6_400, { type: 'speech_ended', sinceMs: 6_200 });
    const commands = call.at(6_700, { type: 'transcript', transcription: call.state.transcription, text });
    expect(types(commands)).toContain('resume');
    expect(types(commands)).not.toContain('cut');
    expect(callStateOf(call.state)).toBe('speaking');
  });

  test('short real words cut the agent and are answered', () => {
    const call = talking();
    call.at(6_000, { type: 'speech_started', sinceMs: 5_900 });
    call.at(6_400, { type: 'speech_ended', sinceMs: 6_200 });
    const commands = call.at(6_700, { type: 'transcript', transcription: call.state.transcription, text: 'stop' });
    expect(types(commands)).toEqual(expect.arrayContaining(['cut', 'caller_turn', 'reply']));
  });

  test('when the last word and the interruption cross, the pause is taken back and the caller is answered', () => {
    const call = talking();
    call.at(6_000, { type: 'speech_started', sinceMs: 5_900 });
    expect(types(call.at(6_010, { type: 'agent_finished', endCall: false }))).toContain('resume');
    call.at(6_900, { type: 'speech_ended', sinceMs: 6_700 });
    expect(types(call.at(7_100, { type: 'transcript', transcription: call.state.transcription, text: 'and on sunday' }))).toContain(
      'reply',
    );
  });

  test('when recognition fails during a barge-in the agent goes on instead of apologising over itself', () => {
    const call = talking();
    call.at(6_000, { type: 'speech_started', sinceMs: 5_900 });
    call.at(6_400, { type: 'speech_ended', sinceMs: 6_200 });
    expect(types(call.at(6_700, { type: 'transcription_failed', transcription: call.state.transcription }))).toContain('resume');
  });
});

describe('takeTurn: silence and noise', () => {
  test('a silent caller is reminded twice, then gets a goodbye and no_input', () => {
    const call = new Call().greeted();
    for (const atMs of [10_000, 20_000]) {
      expect(said(call.at(atMs, { type: 'timer', name: 'silence' }))).toEqual(['still_there']);
      const after = call.at(atMs + 1_000, { type: 'agent_finished', endCall: false });
      expect(after).toContainEqual({ type: 'set_timer', name: 'silence', afterMs: 8_000 });
    }
    expect(said(call.at(30_000, { type: 'timer', name: 'silence' }))).toEqual(['no_input_goodbye']);
    expect(ended(call.at(33_000, { type: 'agent_finished', endCall: false }))).toMatchObject({ disposition: 'no_input' });
  });

  test('a cough in the silence is ignored, long unintelligible speech is asked for again', () => {
    const call = new Call().greeted();
    call.at(3_100, { type: 'speech_started', sinceMs: 3_000 });
    call.at(3_400, { type: 'speech_ended', sinceMs: 3_200 });
    expect(said(call.at(3_600, { type: 'transcript', transcription: 1, text: '' }))).toEqual([]);
    expect(said(call.caller(5_000, ''))).toEqual(['not_heard']);
  });
});

describe('takeTurn: limits and failures', () => {
  test('after the last permitted turn has been answered the agent says goodbye', () => {
    const call = new Call({ maxTurns: 1 }).greeted();
    call.caller(3_000, 'what are your opening hours');
    call.at(4_800, { type: 'agent_audible' });
    expect(said(call.at(9_000, { type: 'agent_finished', endCall: false }))).toEqual(['max_turns_goodbye']);
    expect(ended(call.at(11_000, { type: 'agent_finished', endCall: false }))).toMatchObject({ disposition: 'max_turns' });
  });

  test('the maximum duration cuts in, and its goodbye is not interrupted', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'what are your opening hours');
    const commands = call.at(300_000, { type: 'timer', name: 'max_duration' });
    expect(types(commands)).toContain('cut');
    expect(said(commands)).toEqual(['max_duration_goodbye']);
    expect(call.at(300_500, { type: 'speech_started', sinceMs: 300_400 })).toEqual([]);
    expect(ended(call.at(303_000, { type: 'agent_finished', endCall: false }))).toMatchObject({ disposition: 'max_duration' });
  });

  test('a failed answer is announced and tried again, then given up with a goodbye', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'what are your opening hours');
    expect(said(call.at(5_000, { type: 'reply_failed', stage: 'llm' }))).toEqual(['technical_difficulty']);
    expect(types(call.at(7_000, { type: 'agent_finished', endCall: false }))).toEqual(['reply']);
    expect(said(call.at(8_000, { type: 'reply_failed', stage: 'tts' }))).toEqual(['audio_issues']);
    call.at(9_000, { type: 'agent_finished', endCall: false });
    expect(said(call.at(10_000, { type: 'reply_failed', stage: 'tts' }))).toEqual(['error_goodbye']);
    expect(ended(call.at(12_000, { type: 'agent_finished', endCall: false }))).toMatchObject({
      disposition: 'error',
      reason: 'tts_failed',
    });
  });

  test('failed recognition asks the caller to repeat, three in a row end the call', () => {
    const call = new Call().greeted();
    for (const fromMs of [3_000, 8_000]) {
      call.at(fromMs + 100, { type: 'speech_started', sinceMs: fromMs });
      call.at(fromMs + 1_200, { type: 'speech_ended', sinceMs: fromMs + 1_000 });
      expect(said(call.at(fromMs + 1_400, { type: 'transcription_failed', transcription: call.state.transcription }))).toEqual([
        'not_heard',
      ]);
      call.at(fromMs + 3_000, { type: 'agent_finished', endCall: false });
    }
    call.at(13_100, { type: 'speech_started', sinceMs: 13_000 });
    call.at(14_200, { type: 'speech_ended', sinceMs: 14_000 });
    expect(said(call.at(14_400, { type: 'transcription_failed', transcription: call.state.transcription }))).toEqual(['error_goodbye']);
  });
});

describe('takeTurn: dead air', () => {
  const filled = (commands: readonly TurnCommand[]) => commands.flatMap((command) => (command.type === 'fill' ? [command.phrase] : []));
  const clock = (afterMs: number) => ({ type: 'set_timer', name: 'dead_air', afterMs });
  const cleared = { type: 'clear_timer', name: 'dead_air' };
  const timer = { type: 'timer', name: 'dead_air' } as const;

  test('an answer that does not come is bridged by a filler, then by an apology, and is never cut by them', () => {
    const call = new Call().greeted();
    expect(call.caller(3_000, 'what are your opening hours')).toContainEqual(clock(3_000));
    const first = call.at(7_200, timer);
    expect(filled(first)).toEqual(['one_moment']);
    expect(first).toContainEqual(clock(5_000));
    expect(filled(call.at(12_200, timer))).toEqual(['takes_longer']);
    expect(call.at(20_000, timer)).toEqual([]);
    expect(types([...first])).not.toContain('cut');
    call.at(21_000, { type: 'agent_audible' });
    expect(callStateOf(call.state)).toBe('speaking');
  });

  test('an answer that is heard in time needs none', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'what are your opening hours');
    expect(call.at(4_800, { type: 'agent_audible' })).toContainEqual(cleared);
    expect(call.at(7_200, timer)).toEqual([]);
  });

  test('a transcript that does not come is bridged too, and the same silence is not counted anew when it came', () => {
    const call = new Call().greeted();
    call.at(3_100, { type: 'speech_started', sinceMs: 3_000 });
    expect(call.at(4_200, { type: 'speech_ended', sinceMs: 4_000 })).toContainEqual(clock(3_000));
    expect(filled(call.at(7_200, timer))).toEqual(['one_moment']);
    const answering = call.at(8_000, { type: 'transcript', transcription: call.state.transcription, text: 'what are your opening hours' });
    expect(types(answering)).toContain('reply');
    expect(types(answering)).not.toContain('set_timer');
    expect(filled(call.at(12_200, timer))).toEqual(['takes_longer']);
  });

  test('a caller whose sentence is unfinished owes the next word, not the agent', () => {
    const call = new Call().greeted();
    expect(call.caller(3_000, 'my number is')).toContainEqual(cleared);
    expect(call.at(6_500, { type: 'timer', name: 'end_of_turn' })).toContainEqual(clock(3_000));
  });

  test('an answer that falls silent in the middle is bridged', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'what are your opening hours');
    call.at(4_800, { type: 'agent_audible' });
    expect(call.at(6_000, { type: 'agent_quiet' })).toContainEqual(clock(3_000));
    expect(filled(call.at(9_000, timer))).toEqual(['one_moment']);
    expect(call.at(9_500, { type: 'agent_audible' })).toContainEqual(cleared);
  });

  test('a question is carried on when its caller speaks into the filler', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'what are your opening hours');
    call.at(7_200, timer);
    const merged = call.caller(7_600, 'on friday');
    expect(merged).toContainEqual({ type: 'caller_turn', text: 'what are your opening hours on friday', merged: true });
  });

  test('a filler that belongs to no speech stops when the caller speaks', () => {
    const call = new Call().greeted();
    call.at(3_100, { type: 'speech_started', sinceMs: 3_000 });
    call.at(4_200, { type: 'speech_ended', sinceMs: 4_000 });
    call.at(7_200, timer);
    expect(types(call.at(7_600, { type: 'speech_started', sinceMs: 7_500 }))).toContain('cut');
  });

  test('the silence is counted anew when the talk goes on over another leg', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'what are your opening hours');
    const { afterSaying, text, unanswered, turns, reminders, endCallRequested, ending, toSay, transferTo, steered } = call.state;
    const kept = { afterSaying, text, unanswered, turns, reminders, endCallRequested, ending, toSay, transferTo, steered };
    expect(call.at(5_000, { type: 'resumed', from: { ...kept, floor: 'thinking', speechKnown: false } })).toContainEqual(clock(3_000));
  });

  test('a greeting without sound is bridged, silence after the agent has spoken is the caller’s', () => {
    const call = new Call();
    expect(call.at(0, { type: 'connected' })).toContainEqual(clock(3_000));
    expect(filled(call.at(3_000, timer))).toEqual(['one_moment']);
    call.at(3_500, { type: 'agent_audible' });
    call.at(5_000, { type: 'agent_finished', endCall: false });
    expect(call.at(9_000, timer)).toEqual([]);
  });
});

describe('takeTurn: an agent without a voice', () => {
  test('says goodbye, and when not even that can be spoken leaves it to the PBX', () => {
    const call = new Call();
    call.at(0, { type: 'connected' });
    expect(said(call.at(15_000, { type: 'voice_lost' }))).toEqual(['error_goodbye']);
    expect(ended(call.at(15_100, { type: 'voice_lost' }))).toMatchObject({ disposition: 'error', reason: 'voice_lost' });
  });
});

describe('takeTurn: the end', () => {
  test.each([
    ['abandoned', (call: Call) => call],
    ['caller_hangup', (call: Call) => (call.caller(3_000, 'what are your opening hours'), call)],
    ['completed', (call: Call) => (call.caller(3_000, 'goodbye'), call.at(4_500, { type: 'end_call_requested' }), call)],
  ] as const)('a caller who hangs up gives %s', (disposition, prepare) => {
    const call = prepare(new Call().greeted());
    expect(ended(call.at(9_000, { type: 'caller_hangup' }))).toMatchObject({ disposition });
  });

  test('the agent hangs up after its goodbye, once', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'goodbye');
    expect(ended(call.at(6_000, { type: 'agent_finished', endCall: true }))).toMatchObject({
      disposition: 'completed',
      reason: 'end_call',
    });
    expect(call.at(6_001, { type: 'caller_hangup' })).toEqual([]);
  });

  test('an operator ends the call with a sentence, whatever the agent was doing', () => {
    const call = new Call().greeted();
    call.caller(3_000, 'what are your opening hours');
    expect(said(call.at(5_000, { type: 'operator_hangup' }))).toEqual(['operator_goodbye']);
    expect(ended(call.at(8_000, { type: 'agent_finished', endCall: false }))).toMatchObject({ disposition: 'operator_hangup' });
  });
});

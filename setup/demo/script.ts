/**
 * A scripted caller as a pure step machine: it listens for the agent to finish, says its lines,
 * interrupts, answers follow-up questions, repeats itself when it was not understood, and knows what
 * it expects to hear. Time comes with the events; what to do leaves as commands.
 */

import type { ScriptCommand, ScriptEvent, Step } from './script-steps.ts';

export interface ScriptState {
  readonly index: number;
  readonly stepSinceMs: number;
  /** The last line: what was said, when it began and ended (null while it is being said), how often. */
  readonly line: { readonly text: string; readonly sinceMs: number; readonly untilMs: number | null; readonly times: number };
  readonly agent: {
    readonly speaking: boolean;
    /** Start of the agent's present or last utterance. */
    readonly sinceMs: number;
    readonly quietSinceMs: number;
    /** It has been heard since the last line began. */
    readonly heard: boolean;
  };
  /** Words of the agent since the last line began. */
  readonly words: string;
  /** A `wait` step that was reported, and whether it is over. */
  readonly wait: { readonly name: string; readonly over: boolean } | null;
  /** The call is over; words may still come in for a moment. */
  readonly endedAtMs: number | null;
  readonly outcome: { readonly done: false } | { readonly done: true; readonly failure: string | null };
}

/** As people do: this long a pause means that the other has finished. */
const QUIET_MS = 700;
/** Quiet, but not what was expected: this long for more to come (a tool may be running) before repeating. */
const PATIENCE_MS = 6_000;
/** Who is asked to wait does. */
const WAITING_MS = 12_000;
const ASKED_TO_WAIT = /one moment|a moment longer|takes? (?:a little )?longer|just a (?:second|moment)/i;
const HEAR_TIMEOUT_MS = 30_000;
const HANGUP_TIMEOUT_MS = 15_000;
const LATE_WORDS_MS = 4_000;
const TRIES = 3;
/** The far side's clock starts an utterance a moment before its energy arrives. */
const CLOCK_SLACK_MS = 300;
export const NOT_UNDERSTOOD = /didn't catch|did not (?:catch|understand)|repeat|say that again|pardon|didn't understand/i;

type Stepped = readonly [ScriptState, readonly ScriptCommand[]];

export function startScript(atMs: number): ScriptState {
  return {
    index: 0,
    stepSinceMs: atMs,
    line: { text: '', sinceMs: atMs, untilMs: atMs, times: 0 },
    agent: { speaking: false, sinceMs: atMs, quietSinceMs: atMs, heard: false },
    words: '',
    wait: null,
    endedAtMs: null,
    outcome: { done: false },
  };
}

/** Takes one event; the script is over when `outcome.done`. */
export function advance(script: readonly Step[], before: ScriptState, event: ScriptEvent): Stepped {
  if (before.outcome.done) return [before, []];
  let state = note(before, event);
  const commands: ScriptCommand[] = [];
  for (;;) {
    const step = script[state.index];
    if (step === undefined) return [{ ...state, outcome: { done: true, failure: null } }, commands];
    const [next, more] = state.endedAtMs === null ? perform(step, state, event.atMs) : conclude(step, state, event.atMs);
    commands.push(...more);
    const moved = next.index !== state.index && !next.outcome.done;
    state = next;
    if (!moved) return [state, commands];
  }
}

/** What the event tells, before any decision. */
function note(state: ScriptState, event: ScriptEvent): ScriptState {
  const { agent, line } = state;
  switch (event.kind) {
    case 'agent_on': {
      const fresh = event.atMs - agent.quietSinceMs >= QUIET_MS || !agent.heard;
      return { ...state, agent: { ...agent, speaking: true, heard: true, sinceMs: fresh ? event.atMs : agent.sinceMs } };
    }
    case 'agent_off':
      return { ...state, agent: { ...agent, speaking: false, quietSinceMs: event.atMs } };
    case 'spoken':
      return { ...state, line: { ...line, untilMs: event.atMs } };
    case 'agent_words':
      return event.startedAtMs < line.sinceMs - CLOCK_SLACK_MS ? state : { ...state, words: `${state.words} ${event.text}`.trim() };
    case 'ended':
      return { ...state, endedAtMs: event.atMs, agent: { ...agent, speaking: false } };
    case 'go':
      return state.wait?.name === event.name ? { ...state, wait: { ...state.wait, over: true } } : state;
    case 'tick':
      return state;
  }
}

/** After the end of the call only words can still be heard, and only hanging up was still to be done. */
function conclude(step: Step, state: ScriptState, atMs: number): Stepped {
  if (step.do === 'hangup' || step.do === 'await_hangup') return [entered(state, atMs), []];
  if (step.do === 'hear' && (step.expect === undefined || step.expect.test(state.words))) return [entered(state, atMs), []];
  if (step.do === 'hear' && atMs - (state.endedAtMs ?? atMs) < LATE_WORDS_MS) return [state, []];
  const expected = step.do === 'hear' ? `expected ${step.what}` : `next was "${step.do}"`;
  const failure = `the call ended at step ${state.index + 1} (${expected}); ${heard(state)}`;
  return [{ ...state, outcome: { done: true, failure } }, []];
}

function perform(step: Step, state: ScriptState, atMs: number): Stepped {
  switch (step.do) {
    case 'say':
      return [entered(speak(state, step.text, { atMs, times: 1 }), atMs), [{ do: 'say', text: step.text }]];
    case 'dtmf':
      return [entered(state, atMs), [{ do: 'dtmf', digits: step.digits }]];
    case 'silence':
      return atMs - state.stepSinceMs >= step.forMs ? [entered(state, atMs), []] : [state, []];
    case 'wait':
      if (state.wait?.name !== step.name)
        return [{ ...state, wait: { name: step.name, over: false } }, [{ do: 'waiting', name: step.name }]];
      return state.wait.over ? [entered(state, atMs), []] : [state, []];
    case 'hangup':
      return [entered(state, atMs), [{ do: 'hangup' }]];
    case 'await_hangup':
      return atMs - state.stepSinceMs < (step.timeoutMs ?? HANGUP_TIMEOUT_MS) ? [state, []] : fail(state, 'the agent did not hang up');
    case 'interrupt':
      return interrupt(step, state, atMs);
    case 'hear':
      return hear(step, state, atMs);
  }
}

function interrupt(step: Step & { do: 'interrupt' }, state: ScriptState, atMs: number): Stepped {
  const { agent, line } = state;
  if (agent.speaking && agent.heard && line.untilMs !== null && atMs - agent.sinceMs >= step.afterMs) return [entered(state, atMs), []];
  const missed = isQuiet(state, atMs) && state.words !== '';
  return missed || timeUp(state, atMs) ? again(state, atMs, { what: 'an answer long enough to interrupt' }) : [state, []];
}

function hear(step: Step & { do: 'hear' }, state: ScriptState, atMs: number): Stepped {
  if (!isQuiet(state, atMs)) return timeUp(state, atMs, step.timeoutMs) ? again(state, atMs, step) : [state, []];
  if (step.expect === undefined || step.expect.test(state.words)) return [entered(state, atMs), []];
  const answer = step.answers?.find((each) => each.when.test(state.words));
  if (answer !== undefined) {
    const times = state.line.text === answer.say ? state.line.times + 1 : 1;
    if (times <= (step.tries ?? TRIES))
      return [{ ...speak(state, answer.say, { atMs, times }), stepSinceMs: atMs }, [{ do: 'say', text: answer.say }]];
  }
  const patienceMs = ASKED_TO_WAIT.test(state.words) ? WAITING_MS : PATIENCE_MS;
  const impatient = NOT_UNDERSTOOD.test(state.words) || atMs - state.agent.quietSinceMs >= patienceMs;
  return impatient ? again(state, atMs, step) : [state, []];
}

/** The agent's voice was heard and has paused, or the call is over: now its words matter. */
export function waitsForWords({ agent, line, outcome }: ScriptState): boolean {
  return !outcome.done && agent.heard && !agent.speaking && line.untilMs !== null;
}

/** The agent has answered the last line, and both are silent. */
function isQuiet({ agent, line }: ScriptState, atMs: number): boolean {
  return agent.heard && !agent.speaking && line.untilMs !== null && atMs - agent.quietSinceMs >= QUIET_MS;
}

const timeUp = (state: ScriptState, atMs: number, timeoutMs = HEAR_TIMEOUT_MS): boolean => atMs - state.stepSinceMs >= timeoutMs;

/** Says the last line once more, or gives up. */
function again(state: ScriptState, atMs: number, { what, tries = TRIES }: { what: string; tries?: number }): Stepped {
  const { text, times } = state.line;
  if (text === '' || times >= tries) return fail(state, `expected ${what}`);
  return [{ ...speak(state, text, { atMs, times: times + 1 }), stepSinceMs: atMs }, [{ do: 'say', text }]];
}

function speak(state: ScriptState, text: string, { atMs, times }: { atMs: number; times: number }): ScriptState {
  return { ...state, line: { text, sinceMs: atMs, untilMs: null, times }, words: '', agent: { ...state.agent, heard: false } };
}

const entered = (state: ScriptState, atMs: number): ScriptState => ({ ...state, index: state.index + 1, stepSinceMs: atMs });

/** Gives up, and hangs up as a person would. */
function fail(state: ScriptState, what: string): Stepped {
  return [{ ...state, outcome: { done: true, failure: `${what}; ${heard(state)}` } }, [{ do: 'hangup' }]];
}

function heard(state: ScriptState): string {
  const said = state.line.text === '' ? 'before the caller said anything' : `after "${state.line.text}" (said ${state.line.times}x)`;
  return `${said} the agent was heard saying: ${state.words === '' ? 'nothing' : `"${state.words}"`}`;
}

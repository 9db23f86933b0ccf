/**
 * The watchdog for dead air, around every step of takeTurn: when the caller has heard nothing for a
 * while and something is owed to them (a transcript that is awaited, an answer, a sentence that has no
 * sound yet), a filler is said, and after a further wait an apology. Then the failure of whatever is
 * waited for is near, and has sentences of its own. Pure, as takeTurn.
 */
import type { TurnCommand, TurnState } from './turn-taking.ts';

type Step = readonly [TurnState, readonly TurnCommand[]];

export interface DeadAirOptions {
  /** To the filler, then from there to the apology. */
  readonly deadAirMs: readonly [number, number];
}

export const deadAirDefaults: DeadAirOptions = { deadAirMs: [3_000, 5_000] };

/** The caller is silent, and so is the agent, whose move it is. */
function owes(state: TurnState): boolean {
  if (state.ended || state.ending !== null || state.transferring || state.callerSpeaking || state.suspected) return false;
  return state.agent === 'silent' ? state.awaitingTranscript : !state.heard;
}

/** A speech of the agent begins; whether the caller hears it is not known yet. */
const begins = ({ type }: TurnCommand): boolean => type === 'say' || type === 'say_words' || type === 'reply' || type === 'go_on';

/** Starts and stops the clock of the silence. */
export function watchSilence(before: TurnState, [state, commands]: Step, { deadAirMs }: DeadAirOptions): Step {
  const next = commands.some(begins) ? { ...state, heard: false } : state;
  const [owed, wasOwed] = [owes(next), owes(before)];
  // The wait goes on, whatever it is that is waited for now.
  if (owed && wasOwed) return [next, commands];
  if (owed) return [{ ...next, fillers: 0 }, [...commands, { type: 'set_timer', name: 'dead_air', afterMs: deadAirMs[0] }]];
  if (!wasOwed) return [next, commands];
  const quieted: TurnCommand[] = [{ type: 'clear_timer', name: 'dead_air' }];
  // The caller speaks into a filler that belongs to no speech which could be paused.
  if (before.fillers > 0 && next.callerSpeaking && next.agent === 'silent') quieted.push({ type: 'cut' });
  return [{ ...next, fillers: 0 }, [...commands, ...quieted]];
}

/** The clock has run down. */
export function fillSilence(state: TurnState, { deadAirMs }: DeadAirOptions): Step {
  if (!owes(state) || state.fillers >= 2) return [state, []];
  const filled: TurnState = { ...state, fillers: state.fillers + 1 };
  if (state.fillers > 0) return [filled, [{ type: 'fill', phrase: 'takes_longer' }]];
  return [
    filled,
    [
      { type: 'fill', phrase: 'one_moment' },
      { type: 'set_timer', name: 'dead_air', afterMs: deadAirMs[1] },
    ],
  ];
}

/**
 * Silero's probabilities → speech started / ended, with hysteresis and minimum lengths. Pure: the
 * time is that of the audio (ms since the leg began), not of the wall.
 */
export interface SpeechGateOptions {
  readonly activation: number;
  readonly deactivation: number;
  readonly minSpeechMs: number;
  readonly minSilenceMs: number;
}

export const speechGateDefaults: SpeechGateOptions = { activation: 0.5, deactivation: 0.35, minSpeechMs: 96, minSilenceMs: 200 };

export interface SpeechGateState {
  readonly speaking: boolean;
  /** Since when the opposite of `speaking` has been heard; null when it is not. */
  readonly changingSinceMs: number | null;
}

export const silentGate: SpeechGateState = { speaking: false, changingSinceMs: null };

export type SpeechEdge =
  | { readonly type: 'speech_started'; /** When speech truly began. */ readonly sinceMs: number }
  | { readonly type: 'speech_ended'; /** When speech truly ended. */ readonly sinceMs: number };

/** @param window the probability of one VAD window that covers [startMs, endMs). */
export function passGate(
  state: SpeechGateState,
  window: { readonly probability: number; readonly startMs: number; readonly endMs: number },
  options: SpeechGateOptions = speechGateDefaults,
): readonly [SpeechGateState, SpeechEdge | null] {
  const opposite = state.speaking ? window.probability < options.deactivation : window.probability >= options.activation;
  // Between the two thresholds a run in progress is neither fed nor broken while speaking; a start must be unbroken.
  const breaks = state.speaking ? window.probability >= options.activation : window.probability < options.deactivation;
  if (!opposite) return [breaks ? { ...state, changingSinceMs: null } : state, null];
  const sinceMs = state.changingSinceMs ?? window.startMs;
  const needed = state.speaking ? options.minSilenceMs : options.minSpeechMs;
  if (window.endMs - sinceMs < needed) return [{ ...state, changingSinceMs: sinceMs }, null];
  const edge: SpeechEdge = { type: state.speaking ? 'speech_ended' : 'speech_started', sinceMs };
  return [{ speaking: !state.speaking, changingSinceMs: null }, edge];
}

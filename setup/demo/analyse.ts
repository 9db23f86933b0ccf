/**
 * What the caller experienced, measured on the two recorded directions of one call, which share one
 * clock. Pure.
 */
import { speechSegments, type Segment } from './hear.ts';

export interface TwoTracks {
  readonly sampleRate: number;
  /** What the caller said. */
  readonly caller: Int16Array;
  /** What the caller heard. */
  readonly agent: Int16Array;
  /** How long after the answer the tracks begin: the recorder waits for the first frame. Default 0. */
  readonly beginMs?: number;
}

export interface CallerUtterance extends Segment {
  /** End of the caller's speech → start of the agent's next; negative when it began early; null without an answer. */
  readonly latencyMs: number | null;
  /** Present when it began while the agent spoke: onset → the agent has fallen silent for good; null if it never did. */
  readonly bargeInStopMs?: number | null;
}

export interface CallMeasures {
  readonly durationMs: number;
  /** From the answer; null when nothing was heard. */
  readonly timeToFirstAudioMs: number | null;
  readonly utterances: readonly CallerUtterance[];
  /** Stretches of the agent's speech, gaps under 200 ms bridged. */
  readonly agentSpeech: readonly Segment[];
  /** Longest time in which neither side was heard, between the first and the last sound. */
  readonly longestSilenceMs: number;
  /** Samples at full scale in runs of three or more: distortion. */
  readonly clippedSamples: { readonly caller: number; readonly agent: number };
}

/** A pause this long ends an utterance, and a silence this long means that the agent did stop. */
const UTTERANCE_GAP_MS = 700;
/** The agent may begin this much before the caller's energy is over and still be answering. */
const EARLY_MS = 250;
const FULL_SCALE = 32_767;

export function analyse(tracks: TwoTracks): CallMeasures {
  const { sampleRate, caller, agent } = tracks;
  const durationMs = (Math.max(caller.length, agent.length) * 1_000) / sampleRate;
  const agentSpeech = speechSegments(agent, sampleRate);
  const callerSpeech = speechSegments(caller, sampleRate, UTTERANCE_GAP_MS);
  return {
    durationMs,
    timeToFirstAudioMs: agentSpeech[0] === undefined ? null : agentSpeech[0].startMs + (tracks.beginMs ?? 0),
    utterances: callerSpeech.map((utterance, i) => measure(utterance, agentSpeech, callerSpeech[i + 1]?.startMs ?? durationMs)),
    agentSpeech,
    longestSilenceMs: longestSilence([...agentSpeech, ...callerSpeech]),
    clippedSamples: { caller: clipped(caller), agent: clipped(agent) },
  };
}

function measure(utterance: Segment, agentSpeech: readonly Segment[], untilMs: number): CallerUtterance {
  const answer = agentSpeech.find((each) => each.startMs >= utterance.endMs - EARLY_MS && each.startMs < untilMs);
  const latencyMs = answer === undefined ? null : answer.startMs - utterance.endMs;
  const during = agentSpeech.findIndex((each) => each.startMs < utterance.startMs && each.endMs > utterance.startMs);
  return { ...utterance, latencyMs, ...(during < 0 ? {} : { bargeInStopMs: stopAfter(utterance, agentSpeech.slice(during)) }) };
}

/** The first end of agent speech that is followed by silence (the answer to the interruption itself does not count). */
function stopAfter(interruption: Segment, agentSpeech: readonly Segment[]): number | null {
  for (const [i, segment] of agentSpeech.entries()) {
    if (segment.startMs >= interruption.endMs) return null;
    const next = agentSpeech[i + 1];
    const silent = next === undefined || next.startMs - segment.endMs >= UTTERANCE_GAP_MS || next.startMs >= interruption.endMs - EARLY_MS;
    if (silent) return segment.endMs - interruption.startMs;
  }
  return null;
}

function longestSilence(speech: Segment[]): number {
  let longest = 0;
  let heardUntil: number | undefined;
  for (const segment of speech.sort((a, b) => a.startMs - b.startMs)) {
    if (heardUntil !== undefined) longest = Math.max(longest, segment.startMs - heardUntil);
    heardUntil = Math.max(heardUntil ?? 0, segment.endMs);
  }
  return longest;
}

function clipped(pcm: Int16Array): number {
  let total = 0;
  let run = 0;
  for (let i = 0; i <= pcm.length; i++) {
    if (i < pcm.length && Math.abs(pcm[i] ?? 0) >= FULL_SCALE) run += 1;
    else {
      if (run >= 3) total += run;
      run = 0;
    }
  }
  return total;
}

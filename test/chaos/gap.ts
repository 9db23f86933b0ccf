/** How long the caller heard nothing because of the fault, from the recording of the caller's own ear. Pure. */
import type { Segment } from '../../setup/demo/hear.ts';

export interface Heard {
  /** Stretches of sound, in milliseconds of one clock; pauses within words bridged, those between sentences not. */
  readonly agent: readonly Segment[];
  readonly caller: readonly Segment[];
}

/** The line delivers what was sent a moment ago. */
const LINE_MS = 150;
/** A node that hangs leaves audio behind in the PBX, which is still played. */
const LATEST_MS = 3_000;
/** A caller who speaks this soon answers an agent that has finished; one who waits longer wonders where it is. */
const REPLY_MS = 3_000;

/** Whether the agent was heard at that moment. */
export function agentSpeaksAt({ agent }: Heard, atMs: number): boolean {
  return agent.some((each) => each.startMs <= atMs && each.endMs >= atMs - LINE_MS);
}

/**
 * The longest silence that begins around the fault and that the agent ends, when it was speaking at
 * the fault. A silence into which the caller speaks at once is none: the agent had finished. Null
 * when the agent was not speaking, or had finished, or was not heard again.
 */
export function gapAt(heard: Heard, faultMs: number): Segment | null {
  if (!agentSpeaksAt(heard, faultMs)) return null;
  const { agent, caller } = heard;
  let longest: Segment | null = null;
  for (const [i, segment] of agent.entries()) {
    const next = agent[i + 1];
    if (next === undefined || segment.endMs < faultMs - LINE_MS || segment.endMs > faultMs + LATEST_MS) continue;
    if (caller.some((each) => each.startMs < Math.min(next.startMs, segment.endMs + REPLY_MS) && each.endMs > segment.endMs)) break;
    if (longest === null || next.startMs - segment.endMs > lengthMs(longest)) longest = { startMs: segment.endMs, endMs: next.startMs };
  }
  return longest;
}

export const lengthMs = ({ startMs, endMs }: Segment): number => endMs - startMs;

/** Shorter pauses belong to speaking. */
const NOTICED_MS = 800;

/** Every silence of the agent that a caller would notice, between two of its sentences, that begins in this time. */
export function gapsBetween({ agent, caller }: Heard, fromMs: number, toMs: number): Segment[] {
  return agent.flatMap((segment, i) => {
    const next = agent[i + 1];
    if (next === undefined || segment.endMs < fromMs || segment.endMs > toMs) return [];
    const gap = { startMs: segment.endMs, endMs: next.startMs };
    const answered = caller.some((each) => each.startMs < gap.endMs && each.endMs > gap.startMs);
    return answered || lengthMs(gap) < NOTICED_MS ? [] : [gap];
  });
}

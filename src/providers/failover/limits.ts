/** How long each stage is waited for. A conversation lives on half a second; a timeout of fifteen is only the net below. */
import type { StageLimits, StageName } from './stage.ts';

type Deadlines = Omit<StageLimits, 'patienceMs'>;

/** The gap limits stand far above P95: most pieces of a stream come in bursts, and a break costs more than a wait. */
export const stageDeadlines: Readonly<Record<StageName, Deadlines>> = {
  // A transcript comes whole: there are no gaps.
  stt: {
    first: { floorMs: 500, initialMs: 2_000, ceilingMs: 4_000, factor: 1 },
    gap: { floorMs: 1_000, initialMs: 2_000, ceilingMs: 4_000, factor: 4 },
  },
  llm: {
    first: { floorMs: 300, initialMs: 1_500, ceilingMs: 3_000, factor: 1 },
    gap: { floorMs: 1_200, initialMs: 2_000, ceilingMs: 4_000, factor: 4 },
  },
  tts: {
    first: { floorMs: 300, initialMs: 1_000, ceilingMs: 2_500, factor: 1 },
    gap: { floorMs: 1_000, initialMs: 1_500, ceilingMs: 3_000, factor: 4 },
  },
};

/** A request without a sign of life is given up in time for another one within the stage's own limit. */
export function stageLimits(stage: StageName, timeoutMs: number): StageLimits {
  return { ...stageDeadlines[stage], patienceMs: Math.round(timeoutMs / 2) };
}

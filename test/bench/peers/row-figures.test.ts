import type { TurnResult } from './load/script.ts';
import { rowFigures, type Measured } from './row-figures.ts';

const turn = (facts: Partial<TurnResult>): TurnResult => ({
  caller: 0,
  turn: 0,
  kind: 'turn',
  latencyMs: 600,
  failure: null,
  early: false,
  audioMs: 5_000,
  underruns: 0,
  underrunMs: 0,
  ...facts,
});

const measured = (turns: readonly TurnResult[], lost: readonly string[] = []): Measured => ({
  load: {
    turns,
    lost,
    callMinutes: 4,
    wallSeconds: 60,
    cpuSeconds: 3,
    lateMs: { count: 1, mean: 1, p50: 1, p95: 1, p99: 1.5, max: 2 },
  },
  ai: { requests: { stt: 6, llm: 4, tts: 8 }, abandoned: { stt: 0, llm: 0, tts: 0 }, lateMs: null },
  cpuSeconds: 2,
  idleRssBytes: 100 * 1_048_576,
  peakRssBytes: 104 * 1_048_576,
  stealShare: 0.01,
});

const planned = { calls: 2, turns: 2, bargeIns: 1 };

describe('rowFigures', () => {
  test('takes the nearest rank of the answered turns, and pools the runs', () => {
    const run = (from: number) => measured(Array.from({ length: 10 }, (_, n) => turn({ latencyMs: from + n })));
    const figures = rowFigures([run(601), run(611)], { calls: 5, turns: 2, bargeIns: 0 });
    expect(figures).toMatchObject({ p50: 610, p95: 619, p99: 620, turns: 20, failedTurns: 0 });
  });

  test('a turn that was planned and never tried has failed like one that got no reply', () => {
    const figures = rowFigures([measured([turn({}), turn({ latencyMs: null, failure: 'timeout' })], ['closed (1006)'])], planned);
    expect(figures).toMatchObject({ turns: 4, failedTurns: 3, lostCalls: 1, failures: { timeout: 1 } });
  });

  test('an interruption counts when it was cleared and then answered', () => {
    const bargeIns = [
      turn({ kind: 'barge_in', latencyMs: 100 }),
      turn({ kind: 'after_barge_in', latencyMs: 700 }),
      turn({ kind: 'barge_in', latencyMs: 120 }),
      turn({ kind: 'after_barge_in', latencyMs: null, failure: 'timeout' }),
    ];
    const figures = rowFigures([measured(bargeIns)], planned);
    expect(figures).toMatchObject({ bargeInP50: 100, bargeInMax: 120, failedBargeIns: 1, failures: { 'after_barge_in: timeout': 1 } });
    // Answers to interruptions are no turns of the comparison.
    expect(figures.p50).toBeNull();
  });

  test('adds up late audio of replies', () => {
    const turns = [turn({}), turn({ underruns: 2, underrunMs: 30.4 }), turn({ underruns: 1, underrunMs: 6 })];
    expect(rowFigures([measured(turns)], planned)).toMatchObject({ replies: 3, lateReplies: 2, underrunMs: 36.4 });
  });

  test('gives cost per call: of a core, in seconds a minute, in memory above idle', () => {
    const figures = rowFigures([measured([])], planned);
    expect(figures).toMatchObject({ cpuSecondsPerCallMinute: 0.5, cpuPctPerCall: 0.83, rssMbPerCall: 2 });
    expect(figures.ruler).toEqual({ callersCpuPct: 5, framesLateP99: 1.5, aiLateP99: 0, stealPct: 1 });
  });

  test('counts requests by what callers said: every turn, and both sentences of an interruption', () => {
    const turns = [turn({}), turn({}), turn({}), turn({}), turn({ kind: 'barge_in' }), turn({ kind: 'after_barge_in' })];
    // Four turns, two interrupted sentences, one interrupting one.
    expect(rowFigures([measured(turns)], planned).requestsPerTurn).toEqual({ stt: 0.86, llm: 0.57, tts: 1.14 });
  });
});

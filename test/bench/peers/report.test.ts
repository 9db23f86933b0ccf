import { figuresTables, stagesTable, toJson, type Row } from './report.ts';
import { rowFigures } from './row-figures.ts';

const nothing = rowFigures(
  [
    {
      load: { turns: [], lost: [], callMinutes: 1, wallSeconds: 60, cpuSeconds: 0, lateMs: null },
      ai: { requests: { stt: 0, llm: 0, tts: 0 }, abandoned: { stt: 0, llm: 0, tts: 0 }, lateMs: null },
      cpuSeconds: 0,
      idleRssBytes: 0,
      peakRssBytes: 0,
      stealShare: 0,
    },
  ],
  { calls: 1, turns: 1, bargeIns: 1 },
);
const rows: Row[] = [
  { system: 'holdfast', calls: 1, outcome: { ...nothing, p50: 641.2 }, stages: [{ sttMs: 150 }, { sttMs: 160, responseMs: 640 }] },
  { system: 'pipecat', calls: 1, outcome: { notRun: 'no Python' }, stages: [] },
  { system: 'holdfast', calls: 10, outcome: nothing, stages: [] },
];

test('toJson keeps rows by system and number of calls, and says what was not run', () => {
  expect(toJson(rows)).toMatchObject({
    holdfast: { '1': { p50: 641.2, failedTurns: 1, underrunMs: 0 }, '10': { p50: null } },
    pipecat: { '1': { notRun: 'no Python' } },
  });
});

test('figuresTables has a line for every measured row, and the reason for one that was not', () => {
  const [noticed, costs, remarks] = figuresTables(rows).split('\n\n');
  expect(noticed?.split('\n').slice(2)).toEqual([
    expect.stringMatching(/holdfast +1 +641 +– .*1 of 1/),
    expect.stringMatching(/holdfast +10 +– .*1 of 1/),
  ]);
  expect(costs?.split('\n')).toHaveLength(2 + 2);
  expect(remarks).toBe('  pipecat 1: not run: no Python');
});

test('stagesTable shows only who tells', () => {
  expect(stagesTable(rows)).toMatch(/holdfast 1 .*150 \/ 160/);
  expect(stagesTable(rows)).not.toMatch(/pipecat/);
  expect(stagesTable([])).toBeNull();
});

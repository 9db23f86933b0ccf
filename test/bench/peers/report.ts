/** Measured rows → the table that is printed and the JSON that is written. Pure. */
import type { TurnLatencies } from '../../../src/contracts/turn.ts';
import { table } from '../table.ts';
import { figuresOf } from './figures.ts';
import type { RowFigures } from './row-figures.ts';

export type SystemName = 'holdfast' | 'pipecat';

export interface Row {
  readonly system: SystemName;
  readonly calls: number;
  readonly outcome: RowFigures | { readonly notRun: string };
  readonly stages: readonly TurnLatencies[];
}

/** By system, then by number of calls. */
export function toJson(rows: readonly Row[]): Record<string, Record<string, Row['outcome']>> {
  const bySystem = Map.groupBy(rows, ({ system }) => system);
  return Object.fromEntries(
    [...bySystem].map(([system, its]) => [system, Object.fromEntries(its.map(({ calls, outcome }) => [String(calls), outcome]))]),
  );
}

/** Of the measured rows: what callers noticed, then what that cost and how far the ruler can be trusted; below, what went wrong. */
export function figuresTables(rows: readonly Row[]): string {
  const measured = rows.flatMap(({ system, calls, outcome }) => ('notRun' in outcome ? [] : [{ name: [system, String(calls)], outcome }]));
  const noticed = measured.map(({ name, outcome }) => [...name, ...noticedCells(outcome)]);
  const costs = measured.map(({ name, outcome }) => [...name, ...costCells(outcome)]);
  const remarks = rows.flatMap(({ system, calls, outcome }) => remarksOn(outcome).map((remark) => `  ${system} ${calls}: ${remark}`));
  const tables = [table([noticedHead, ...noticed]), table([costHead, ...costs])];
  return [...(measured.length === 0 ? [] : tables), ...(remarks.length === 0 ? [] : [remarks.join('\n')])].join('\n\n');
}

const noticedHead =
  'milliseconds,calls,response p50,p95,p99,barge-in p50,p95,max,failed turns,barge-ins,lost calls,late replies,underrun'.split(',');

const noticedCells = (row: RowFigures): string[] => [
  ...[row.p50, row.p95, row.p99, row.bargeInP50, row.bargeInP95, row.bargeInMax].map(rounded),
  `${row.failedTurns} of ${row.turns}`,
  String(row.failedBargeIns),
  String(row.lostCalls),
  `${row.lateReplies} of ${row.replies}`,
  rounded(row.underrunMs),
];

const costHead =
  'cost,calls,CPU-s/call-min,% core/call,MB/call,STT / LLM / TTS asked per turn,ruler: callers % core,frames late p99,AI late p99,steal %'.split(
    ',',
  );

const costCells = ({ requestsPerTurn: asked, ruler, ...row }: RowFigures): string[] => [
  row.cpuSecondsPerCallMinute.toFixed(2),
  row.cpuPctPerCall.toFixed(2),
  row.rssMbPerCall.toFixed(1),
  `${asked.stt} / ${asked.llm} / ${asked.tts}`,
  ...[ruler.callersCpuPct, ruler.framesLateP99, ruler.aiLateP99, ruler.stealPct].map((value) => value.toFixed(1)),
];

const remarksOn = (outcome: Row['outcome']): string[] =>
  'notRun' in outcome ? [`not run: ${outcome.notRun}`] : Object.entries(outcome.failures).map(([reason, times]) => `${times}× ${reason}`);

const rounded = (value: number | null): string => (value === null ? '–' : String(Math.round(value)));

const stageNames: readonly (readonly [keyof TurnLatencies, string])[] = [
  ['endOfTurnMs', 'end of turn'],
  ['sttMs', 'STT'],
  ['llmFirstTokenMs', 'LLM first token'],
  ['llmFirstClauseMs', 'first clause'],
  ['ttsFirstByteMs', 'TTS first byte'],
  ['responseMs', 'response'],
];

/** Where a system's own records say that its time went; null when none says anything. */
export function stagesTable(rows: readonly Row[]): string | null {
  const telling = rows.filter(({ stages }) => stages.length > 0);
  if (telling.length === 0) return null;
  const lines = telling.map(({ system, calls, stages }) => [
    `${system} ${calls}`,
    ...stageNames.map(([name]) => {
      const figures = figuresOf(stages.flatMap((stage) => stage[name] ?? []));
      return figures === null ? '–' : `${Math.round(figures.p50)} / ${Math.round(figures.p95)}`;
    }),
  ]);
  return table([['stages by its own records, p50 / p95', ...stageNames.map(([, name]) => name)], ...lines]);
}

/** Verdicts of one fault → a row of the table and of the JSON file. Pure. */
import { percentile } from '../../setup/demo/summary.ts';
import { table } from '../bench/table.ts';
import { CLOSED_WITHIN_MS, type Verdict } from './verdict.ts';

export interface FaultReport {
  readonly name: string;
  readonly calls: number;
  /** Calls that the fault was to hit; the others of the wave went on beside it. */
  readonly hit: number;
  readonly dropped: number;
  readonly memoryKept: number;
  /** Silence at the caller's ear where the agent was speaking at the fault; null when it was in no call. */
  readonly gapMsP50: number | null;
  readonly gapMsP95: number | null;
  readonly gapMsMax: number | null;
  /** Calls that the gap was measured in. */
  readonly gaps: number;
  /** From the fault to the first frame that another node heard of the caller. */
  readonly listeningMsP50: number | null;
  readonly listeningMsP95: number | null;
  readonly listeningMsMax: number | null;
  /** In one call, where the fault strikes several times. */
  readonly gapsNoticedMax: number;
  readonly turnsLost: number;
  readonly doubled: number;
  readonly dispositionsNotOne: number;
  /** From the end of the line to the end of the workflow; where the fault ends the calls, from the fault. */
  readonly closedMsMax: number | null;
  readonly historyEventsMax: number;
  /** Set when the fault was not tried, or the run itself broke. */
  readonly skipped: string | null;
  readonly notes: readonly string[];
}

export interface Observed {
  readonly verdicts: readonly Verdict[];
  readonly listeningMs: readonly number[];
}

export function reportOf(name: string, { verdicts, listeningMs }: Observed, skipped: string | null = null): FaultReport {
  const gaps = verdicts.map((each) => each.gapMs).filter((each) => each !== null);
  const [gapMsP50, gapMsP95, gapMsMax] = figures(gaps);
  const [listeningMsP50, listeningMsP95, listeningMsMax] = figures(listeningMs);
  const closed = verdicts.map((each) => each.closedAfterMs).filter((each) => each !== null);
  const sum = (value: (verdict: Verdict) => number): number => verdicts.reduce((total, each) => total + value(each), 0);
  return {
    name,
    calls: verdicts.length,
    hit: sum((each) => Number(each.hit)),
    dropped: sum((each) => Number(each.dropped)),
    memoryKept: sum((each) => Number(each.memoryKept)),
    gapMsP50,
    gapMsP95,
    gapMsMax,
    gaps: gaps.length,
    listeningMsP50,
    listeningMsP95,
    listeningMsMax,
    gapsNoticedMax: Math.max(0, ...verdicts.map((each) => each.gapsNoticed)),
    turnsLost: sum((each) => each.turnsLost),
    doubled: sum((each) => each.doubled),
    dispositionsNotOne: sum((each) => Number(each.dispositionNotOne)),
    closedMsMax: rounded(percentile(closed, 1)),
    historyEventsMax: Math.max(0, ...verdicts.map((each) => each.historyEvents)),
    skipped,
    notes: verdicts.flatMap((each) => each.notes.map((note) => `${each.phase}: ${note}`)),
  };
}

function figures(values: readonly number[]): [number | null, number | null, number | null] {
  return [0.5, 0.95, 1].map((share) => rounded(percentile(values, share))) as [number | null, number | null, number | null];
}

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value));

const countsOf = ({ calls, hit, dropped, memoryKept }: FaultReport): string[] => [calls, hit, dropped, memoryKept].map(String);

const timesOf = (each: FaultReport): string[] =>
  [each.gapMsP50, each.gapMsP95, each.gapMsMax, each.listeningMsP50, each.listeningMsP95, each.listeningMsMax].map(show);

const harmOf = ({ turnsLost, doubled, dispositionsNotOne }: FaultReport): string[] => [turnsLost, doubled, dispositionsNotOne].map(String);

const show = (value: number | null): string => (value === null ? '–' : String(value));

export function faultTable(reports: readonly FaultReport[]): string {
  const head = ['fault', 'calls', 'hit', 'dropped', 'memory kept', 'gap p50', 'p95', 'max', 'listening p50', 'p95', 'max'];
  const rows = reports.map((each) =>
    each.skipped === null ? [each.name, ...countsOf(each), ...timesOf(each), ...harmOf(each)] : [each.name, `not tried: ${each.skipped}`],
  );
  return table([[...head, 'turns lost', 'doubled', 'dispositions ≠ 1'], ...rows]);
}

/** Whether a fault did what no fault may do to a call. */
export function isClean(report: FaultReport, endsCalls: boolean): boolean {
  if (report.skipped !== null) return true;
  const harmless = report.doubled === 0 && report.dispositionsNotOne === 0;
  return endsCalls
    ? harmless && (report.closedMsMax ?? 0) <= CLOSED_WITHIN_MS
    : harmless && report.gapsNoticedMax <= 1 && report.dropped === 0 && report.turnsLost === 0 && report.memoryKept === report.calls;
}

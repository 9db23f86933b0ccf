/** What was measured of one system at one number of calls → the figures of its row. Pure. */
import type { AiStats } from './ai/server.ts';
import { figuresOf, round, type Figures } from './figures.ts';
import type { LoadResult } from './load/load.ts';
import type { TurnResult } from './load/script.ts';

/** One run of one row. */
export interface Measured {
  readonly load: LoadResult;
  readonly ai: AiStats;
  /** Of the system's processes during the run. */
  readonly cpuSeconds: number;
  readonly idleRssBytes: number;
  readonly peakRssBytes: number;
  /** Share of the machine's time that its host gave to others. */
  readonly stealShare: number;
}

/** Milliseconds, percent of one core, megabytes. null: nothing was completed that could be measured. */
export interface RowFigures {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly bargeInP50: number | null;
  readonly bargeInP95: number | null;
  readonly bargeInMax: number | null;
  readonly turns: number;
  /** Turns that were planned and got no reply, for whatever reason. */
  readonly failedTurns: number;
  /** Interruptions without a clear, and without a reply to what interrupted. */
  readonly failedBargeIns: number;
  readonly lostCalls: number;
  readonly replies: number;
  readonly lateReplies: number;
  /** Of all replies together. */
  readonly underrunMs: number;
  readonly cpuPctPerCall: number;
  readonly cpuSecondsPerCallMinute: number;
  readonly rssMbPerCall: number;
  /** A reply asks each stage at least once; its second sentence asks tts again. */
  readonly requestsPerTurn: { readonly stt: number; readonly llm: number; readonly tts: number };
  /** What went wrong, and how often. */
  readonly failures: Readonly<Record<string, number>>;
  /** Whether the figures can be trusted: load on the callers' core, lateness of frames and of the fake AI, stolen time. */
  readonly ruler: {
    readonly callersCpuPct: number;
    readonly framesLateP99: number;
    readonly aiLateP99: number;
    readonly stealPct: number;
  };
}

export interface Planned {
  readonly calls: number;
  readonly turns: number;
  readonly bargeIns: number;
}

const MEGABYTE = 1_048_576;
const SECONDS_PER_MINUTE = 60;

/** @param runs of the same row; their turns are pooled, the worst memory and ruler count. */
export function rowFigures(runs: readonly Measured[], { calls, turns, bargeIns }: Planned): RowFigures {
  const results = runs.flatMap(({ load }) => load.turns);
  const replies = results.filter((result) => result.kind === 'turn' && result.latencyMs !== null);
  const response = latencies(results, 'turn');
  const bargeIn = latencies(results, 'barge_in');
  const planned = runs.length * calls * turns;
  const interruptions = runs.length * calls * bargeIns;
  const answered = (kind: TurnResult['kind']): number => latencies(results, kind)?.count ?? 0;
  const minutes = sum(runs.map(({ load }) => load.callMinutes));
  const cpuPerMinute = sum(runs.map(({ cpuSeconds }) => cpuSeconds)) / minutes;
  const asked = results.filter(({ kind }) => kind !== 'barge_in').length + interruptions;
  const requests = (stage: keyof AiStats['requests']): number =>
    round(sum(runs.map(({ ai }) => ai.requests[stage])) / Math.max(1, asked), 2);
  return {
    p50: response?.p50 ?? null,
    p95: response?.p95 ?? null,
    p99: response?.p99 ?? null,
    bargeInP50: bargeIn?.p50 ?? null,
    bargeInP95: bargeIn?.p95 ?? null,
    bargeInMax: bargeIn?.max ?? null,
    turns: planned,
    failedTurns: planned - answered('turn'),
    failedBargeIns: interruptions - Math.min(answered('barge_in'), answered('after_barge_in')),
    lostCalls: sum(runs.map(({ load }) => load.lost.length)),
    replies: replies.length,
    lateReplies: replies.filter(({ underruns }) => underruns > 0).length,
    underrunMs: round(sum(replies.map(({ underrunMs }) => underrunMs))),
    cpuPctPerCall: round((100 * cpuPerMinute) / SECONDS_PER_MINUTE, 2),
    cpuSecondsPerCallMinute: round(cpuPerMinute, 2),
    rssMbPerCall: round(Math.max(...runs.map(({ peakRssBytes, idleRssBytes }) => peakRssBytes - idleRssBytes)) / MEGABYTE / calls, 2),
    requestsPerTurn: { stt: requests('stt'), llm: requests('llm'), tts: requests('tts') },
    failures: countOf(
      results.flatMap(({ kind, failure }) => (failure === null ? [] : [kind === 'turn' ? failure : `${kind}: ${failure}`])),
    ),
    ruler: {
      callersCpuPct: worst(runs, ({ load }) => (100 * load.cpuSeconds) / load.wallSeconds),
      framesLateP99: worst(runs, ({ load }) => load.lateMs?.p99 ?? 0),
      aiLateP99: worst(runs, ({ ai }) => ai.lateMs?.p99 ?? 0),
      stealPct: worst(runs, ({ stealShare }) => 100 * stealShare),
    },
  };
}

function latencies(results: readonly TurnResult[], kind: TurnResult['kind']): Figures | null {
  return figuresOf(results.flatMap((result) => (result.kind === kind && result.latencyMs !== null ? result.latencyMs : [])));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const worst = (runs: readonly Measured[], of: (run: Measured) => number): number => round(Math.max(...runs.map(of)));

function countOf(reasons: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(reasons, (reason) => reason)].map(([reason, all]) => [reason, all.length]));
}

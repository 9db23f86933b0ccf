/** The callers as their driver sees them: a process that is given a plan and tells what it heard. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Figures } from '../figures.ts';
import type { TurnResult } from './script.ts';

export interface LoadPlan {
  readonly url: string;
  readonly calls: number;
  readonly turns: number;
  readonly bargeIns: number;
  /** The calls start spread over so long. */
  readonly staggerMs: number;
}

export interface LoadResult {
  readonly turns: readonly TurnResult[];
  /** Of each line that went down before its script had ended, why. */
  readonly lost: readonly string[];
  readonly callMinutes: number;
  readonly wallSeconds: number;
  /** Of the callers themselves. */
  readonly cpuSeconds: number;
  /** Frames, against the clock. */
  readonly lateMs: Figures | null;
}

const MAX_OUTPUT_BYTES = 64 * 1_048_576;
/** A call of five turns lasts about a minute; of a system that answers nothing, two. */
const LIMIT_MS = 240_000;

/** @throws Error when the callers were not done in time. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const program = fileURLToPath(new URL('./main.ts', import.meta.url));
  const limits = { maxBuffer: MAX_OUTPUT_BYTES, timeout: LIMIT_MS * Math.max(1, plan.turns / 5) };
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(plan)], limits);
  return JSON.parse(stdout) as LoadResult;
}

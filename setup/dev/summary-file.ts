/** The file of `--json` (docs/summary-json.md), written whole or not at all: others wait for it to appear. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DemoResult } from '../demo/run-demo.ts';
import type { Stack } from '../stack/stack.ts';

export interface SummaryFacts {
  readonly stack: Stack;
  /** Null with --no-call. */
  readonly result: DemoResult | null;
  readonly pids: Readonly<Record<string, number>>;
}

export async function writeSummary(file: string, { stack, result, pids }: SummaryFacts): Promise<void> {
  const talk = result === null ? {} : { ok: result.ok, failures: result.failures, call: result.call, calls: result.calls };
  const summary = { ...talk, urls: stack.urls, demo: stack.demo, pids };
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  await writeFile(part, `${JSON.stringify(summary, null, 2)}\n`);
  await rename(part, file);
}

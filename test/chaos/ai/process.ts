/** Starts the suite's AI; what it can understand is settled here. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, type Child } from '../../../setup/stack/child.ts';
import type { Parts } from '../../../setup/stack/parts.ts';
import { freePort } from '../../../setup/stack/ports.ts';
import type { Found } from './closed-set.ts';

export interface SuiteAi extends AsyncDisposable {
  /** As OPENAI_BASE_URL wants it. */
  readonly baseUrl: string;
  readonly pid: number;
  /** Which of the agent's sentences are in this audio (16 kHz), from beginning to end. */
  heard(pcm: Int16Array): Promise<Found[]>;
}

const HEARD_TIMEOUT_MS = 20_000;
const TRIES = 3;

export async function startSuiteAi({
  parts,
  lines,
  logFile,
}: {
  readonly parts: Parts;
  readonly lines: readonly string[];
  readonly logFile: string;
}): Promise<SuiteAi> {
  const [aiPort, earsPort] = [await freePort(), await freePort()];
  const child: Child = await startChild({
    name: 'AI of the suite',
    command: [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts')],
    env: {
      PATH: process.env['PATH'],
      AI_PORT: String(aiPort),
      EARS_PORT: String(earsPort),
      LINES: JSON.stringify(lines),
      HOLDFAST_PARTS: JSON.stringify(parts),
    },
    logFile,
    ready: async () => {
      const response = await fetch(`http://127.0.0.1:${earsPort}/heard`, { method: 'POST', body: new Uint8Array(2) });
      return response.ok && (await fetch(`http://127.0.0.1:${aiPort}/healthz`)).ok;
    },
  });
  return {
    baseUrl: `http://127.0.0.1:${aiPort}/v1`,
    pid: child.pid,
    async heard(pcm) {
      const body = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength).slice();
      for (let left = TRIES; ; left--) {
        try {
          const signal = AbortSignal.timeout(HEARD_TIMEOUT_MS);
          const response = await fetch(`http://127.0.0.1:${earsPort}/heard`, { method: 'POST', body, signal });
          return (await response.json()) as Found[];
        } catch (error) {
          if (left === 1) throw error;
          await sleep(100);
        }
      }
    },
    [Symbol.asyncDispose]: () => child.stop(),
  };
}

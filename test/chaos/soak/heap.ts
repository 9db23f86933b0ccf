/**
 * What a Node process really holds: its memory after a garbage collection, asked through its inspector.
 * RSS alone rises with whatever V8 and malloc have not given back.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Where SIGUSR1 opens the inspector of any process: one at a time. */
const INSPECTOR = 'http://127.0.0.1:9229/json';
const OPEN_WITHIN_MS = 3_000;
const PAUSE_MS = 100;
const MEGABYTE = 1_048_576;

/** Heap, and the buffers beside it. The inspector is closed again. */
const HELD = `(() => {
  const { heapUsed, external } = process.memoryUsage();
  setTimeout(() => process.getBuiltinModule('inspector').close(), 100);
  return heapUsed + external;
})()`;

/** @returns MB, or null when the process could not be asked. */
export async function heldMemoryMb(pid: number): Promise<number | null> {
  try {
    process.kill(pid, 'SIGUSR1');
    const inspector = new WebSocket(await inspectorOf(pid));
    try {
      await new Promise((resolve, reject) => {
        inspector.addEventListener('open', resolve, { once: true });
        inspector.addEventListener('error', reject, { once: true });
      });
      await ask(inspector, 'HeapProfiler.collectGarbage');
      const answer = await ask(inspector, 'Runtime.evaluate', { expression: HELD });
      return Number(answer.result?.value) / MEGABYTE;
    } finally {
      inspector.close();
      // The next process opens its own at the same port.
      await sleep(2 * PAUSE_MS);
    }
  } catch {
    return null;
  }
}

async function inspectorOf(pid: number): Promise<string> {
  const deadline = Date.now() + OPEN_WITHIN_MS;
  for (;;) {
    await sleep(PAUSE_MS);
    try {
      const [target] = (await (await fetch(INSPECTOR)).json()) as { webSocketDebuggerUrl: string; title: string }[];
      // "…/node[1234]": that of another process would be somebody's own.
      if (target?.title.includes(`[${pid}]`) === true) return target.webSocketDebuggerUrl;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline) throw new Error(`No inspector of ${pid}`);
  }
}

interface Answer {
  readonly result?: { readonly value?: unknown };
}

function ask(inspector: WebSocket, method: string, params: object = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const heard = ({ data }: MessageEvent): void => {
      const message = JSON.parse(String(data)) as { id?: number; result?: Answer };
      if (message.id !== 1) return;
      inspector.removeEventListener('message', heard);
      resolve(message.result ?? {});
    };
    inspector.addEventListener('message', heard);
    inspector.send(JSON.stringify({ id: 1, method, params }));
  });
}

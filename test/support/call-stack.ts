/** The whole of Holdfast for calls in tests: real processes, a real PBX, and a carrier that dials it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { callAndTalk, type CallerOptions, type CallerResult } from '../../setup/demo/caller.ts';
import { startCarrier, type Carrier } from '../../setup/demo/carrier.ts';
import { records, type Records } from '../../setup/demo/records.ts';
import type { Step } from '../../setup/demo/script-steps.ts';
import { parseWav } from '../../setup/demo/wav.ts';
import type { External } from '../../setup/stack/external.ts';
import { removeJanitorOf } from '../../setup/stack/janitor.ts';
import { createDataDir } from '../../setup/stack/run-dirs.ts';
import { startStack, type Stack } from '../../setup/stack/stack.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { sharedParts } from './stack.ts';

export interface CallStackOptions {
  /** Further environment of api, worker and media. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Parts that the test provides itself. */
  readonly external?: External;
  /** A Temporal server of its own, for a test that takes it down; default: the shared one. */
  readonly ownTemporal?: boolean;
  /** Default 1 of each: a test that kills one asks for more. */
  readonly mediaNodes?: number;
  readonly workers?: number;
}

export interface DialOptions extends Pick<CallerOptions, 'codec' | 'onMoment' | 'onWait'> {
  /** Default: the demo tenant's number. */
  readonly to?: string;
  /** Whose number `to` is. Default: the demo tenant. */
  readonly tenantId?: string;
  readonly from?: string;
  readonly script: readonly Step[];
}

export interface Dialled extends CallerResult {
  readonly from: string;
  readonly placedAtMs: number;
  /** 16 kHz: what the caller heard, by the carrier's recording; empty when the call was not answered. */
  heard(): Promise<Int16Array>;
  /** The record, once it has its disposition. */
  record(): Promise<CallDetailView>;
}

export interface CallStack extends AsyncDisposable {
  readonly stack: Stack;
  readonly carrier: Carrier;
  readonly records: Records;
  readonly dataDir: string;
  readonly taskQueue: string;
  /** Dials, plays the script; the call is over when this resolves. */
  dial(options: DialOptions): Promise<Dialled>;
  /** REST request below /api. @throws Error for anything but 2xx. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
}

export async function startCallStack(options: CallStackOptions = {}): Promise<CallStack> {
  const { parts, temporal, openai } = sharedParts();
  const running = new AsyncDisposableStack();
  try {
    const { dataDir } = running.use(await createDataDir());
    const logsDir = join(dataDir, 'logs');
    await mkdir(logsDir);
    const taskQueue = `e2e-${randomBytes(4).toString('hex')}`;
    const stack = running.use(
      await startStack({
        parts,
        dataDir,
        logsDir,
        external: { ...(options.ownTemporal === true ? {} : { temporal }), openai, ...options.external },
        mediaNodes: options.mediaNodes ?? 1,
        workers: options.workers ?? 1,
        settings: { LOG_LEVEL: 'info', TEMPORAL_TASK_QUEUE: taskQueue, ...options.settings },
      }),
    );
    // The Temporal server is everybody's, and outlives this stack.
    running.defer(() => removeJanitorOf(stack.env));
    const carrier = running.use(
      await startCarrier({ parts, dir: join(dataDir, 'carrier'), logFile: join(logsDir, 'carrier.log'), pbxSip: stack.sip }),
    );
    const stored = records({ apiUrl: stack.urls.api, tenantId: stack.demo.tenantId });
    return {
      stack,
      carrier,
      records: stored,
      dataDir,
      taskQueue,
      dial: (call) => dial({ carrier, stack }, call),
      api: (method, path, body) => request(stack.urls.api, { method, path, body }),
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    await running.disposeAsync();
    throw error;
  }
}

async function dial({ carrier, stack }: { carrier: Carrier; stack: Stack }, options: DialOptions): Promise<Dialled> {
  const stored = records({ apiUrl: stack.urls.api, tenantId: options.tenantId ?? stack.demo.tenantId });
  const from = options.from ?? nextCallerNumber();
  const placedAtMs = Date.now();
  const placed = { callerNumber: from, sinceMs: placedAtMs };
  const result = await callAndTalk({
    ...options,
    carrier,
    to: options.to ?? stack.demo.did,
    from,
    words: (onWords) => stored.wordsOf(placed, onWords),
  });
  return {
    ...result,
    from,
    placedAtMs,
    async heard() {
      const recording = await result.call.recording();
      return recording === null ? new Int16Array() : parseWav(await readFile(recording.agent)).pcm;
    },
    record: () => stored.finished(placed, 30_000),
  };
}

let callers = 0;

/** From the ranges that are reserved for fiction; each is used once per test process. */
export function nextCallerNumber(): string {
  const n = callers++;
  const area = [205, 206, 212, 213, 303, 305, 312, 404, 415, 503, 602, 617, 702, 713, 801, 901][Math.floor(n / 100) % 16];
  return `+1${area}55501${String(n % 100).padStart(2, '0')}`;
}

async function request<T>(api: string, { method, path, body }: { method: string; path: string; body: unknown }): Promise<T> {
  const response = await fetch(`${api}/api${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

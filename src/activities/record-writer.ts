/**
 * Writes what a call leaves in PostgreSQL, in order, behind the talk: while the database is away
 * entries wait here and nobody else does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TurnRecord } from '../contracts/turn.ts';
import { HoldfastError } from '../domain/errors.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { CallRecords } from './deps.ts';

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 2_000;
const BATCH = 50;

export type RecordEntry = {
  /** Which node's event this is; events are numbered by each node anew. */
  readonly epoch: number;
  readonly seq: number;
} & (
  | { readonly kind: 'answered'; readonly at: string }
  | { readonly kind: 'node'; readonly mediaNode: string }
  | { readonly kind: 'turn'; readonly turn: TurnRecord }
);

export interface RecordWriterOptions {
  readonly calls: Pick<CallRecords, 'recordAnswered' | 'recordNode' | 'recordTurns'>;
  readonly callId: string;
  readonly tenantId: string;
  /** Entries that may wait. */
  readonly limit: number;
  readonly logger: Logger;
  onDurable(entry: { readonly epoch: number; readonly seq: number }): void;
}

export class RecordWriter {
  readonly #options: RecordWriterOptions;
  #queue: RecordEntry[] = [];
  #writing: Promise<void> | null = null;
  readonly #stop = new AbortController();

  constructor(options: RecordWriterOptions) {
    this.#options = options;
  }

  /** @throws HoldfastError limit_exceeded when the database has been away for longer than the buffer reaches. */
  add(entry: RecordEntry): void {
    if (this.#queue.length >= this.#options.limit) throw new HoldfastError('limit_exceeded', 'Too many records wait for PostgreSQL');
    this.#queue.push(entry);
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
  }

  /** Waits for the queue to empty, at most timeoutMs; then gives up and returns the turns that were not stored, oldest first. */
  async settle(timeoutMs: number): Promise<TurnRecord[]> {
    const timer = setTimeout(() => this.#stop.abort(), timeoutMs);
    await this.#writing;
    clearTimeout(timer);
    return this.#queue.flatMap((entry) => (entry.kind === 'turn' ? [entry.turn] : []));
  }

  /** Stops after the write that is under way; what waits stays unacknowledged and comes again to the next attempt. */
  stop(): void {
    this.#stop.abort();
  }

  async #write(): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      const batch = nextBatch(this.#queue);
      try {
        await this.#store(batch);
        this.#queue = this.#queue.slice(batch.length);
        for (const entry of batch) this.#options.onDurable(entry);
        backoffMs = FIRST_BACKOFF_MS;
      } catch (error) {
        this.#options.logger.warn(
          { callId: this.#options.callId, waiting: this.#queue.length, ...errorFacts(error) },
          'records wait for PostgreSQL',
        );
        await sleep(backoffMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
        backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      }
    }
  }

  async #store(batch: readonly RecordEntry[]): Promise<void> {
    const { calls, callId, tenantId } = this.#options;
    const [first] = batch;
    if (first?.kind === 'answered') return calls.recordAnswered({ callId, tenantId, answeredAt: first.at });
    if (first?.kind === 'node') return calls.recordNode({ callId, tenantId, mediaNode: first.mediaNode });
    return calls.recordTurns({ callId, tenantId, turns: batch.flatMap((entry) => (entry.kind === 'turn' ? [entry.turn] : [])) });
  }
}

/** One kind at a time, so that order is kept and turns share a transaction. */
export function nextBatch(queue: readonly RecordEntry[]): RecordEntry[] {
  const [first] = queue;
  if (first === undefined || first.kind !== 'turn') return queue.slice(0, 1);
  const other = queue.findIndex((entry) => entry.kind !== 'turn');
  return queue.slice(0, Math.min(other === -1 ? queue.length : other, BATCH));
}

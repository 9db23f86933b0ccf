/**
 * Calls whose callers heard the apology because neither Temporal nor PostgreSQL could be asked. They
 * are kept here until their record can be written; the log has their ids from the first moment.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdmitRequest } from '../contracts/call-workflow.ts';
import { HoldfastError } from '../domain/errors.ts';
import { errorFacts, type Logger } from '../telemetry.ts';

export interface MissedCallsOptions {
  /** Writes the record. Idempotent. @throws HoldfastError, retryable while PostgreSQL is away. */
  readonly record: (request: AdmitRequest) => Promise<unknown>;
  readonly logger: Logger;
}

/** An hour of an outage with a call every few seconds. */
const AT_MOST = 2_000;
/** The dialplan asks twice within 4 s: a call is missed only after that. */
const MISSED_AFTER_MS = 5_000;
const PAUSE_MS = 1_000;

/** How long it is still too early to call a call missed; clocks may differ, so never longer than the whole time. */
export function untilMissedMs(request: Pick<AdmitRequest, 'arrivedAt'>, nowMs: number): number {
  return Math.min(MISSED_AFTER_MS, Math.max(0, Date.parse(request.arrivedAt) + MISSED_AFTER_MS - nowMs));
}

export class MissedCalls implements AsyncDisposable {
  readonly #options: MissedCallsOptions;
  /** By call: with the time from which on nobody asks any more. */
  readonly #waiting = new Map<string, { readonly request: AdmitRequest; readonly dueAtMs: number }>();
  readonly #stop = new AbortController();
  #writing: Promise<void> | null = null;

  constructor(options: MissedCallsOptions) {
    this.#options = options;
  }

  remember(request: AdmitRequest): void {
    if (this.#stop.signal.aborted) return;
    if (this.#waiting.size >= AT_MOST && !this.#waiting.has(request.callRecordId)) {
      this.#options.logger.error(
        { event: 'missed_call_forgotten', callId: request.callRecordId },
        'Too many missed calls wait for PostgreSQL',
      );
      return;
    }
    this.#waiting.set(request.callRecordId, { request, dueAtMs: performance.now() + MISSED_AFTER_MS });
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#writing;
    const callIds = [...this.#waiting.keys()];
    if (callIds.length > 0) this.#options.logger.error({ event: 'missed_calls_unrecorded', callIds }, 'These missed calls have no record');
  }

  async #write(): Promise<void> {
    while (this.#waiting.size > 0) {
      await sleep(PAUSE_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      for (const { request, dueAtMs } of this.#waiting.values()) {
        if (dueAtMs <= performance.now() && !(await this.#record(request))) break;
      }
      if (this.#stop.signal.aborted) return;
    }
  }

  /** @returns false when it makes no sense to go on now. */
  async #record(request: AdmitRequest): Promise<boolean> {
    const { record, logger } = this.#options;
    try {
      await record(request);
      logger.info({ event: 'missed_call_recorded', callId: request.callRecordId }, 'A missed call is on record');
    } catch (error) {
      if (error instanceof HoldfastError && error.retryable) return false;
      logger.error(
        { event: 'missed_call_forgotten', callId: request.callRecordId, error: errorFacts(error) },
        'A missed call cannot be recorded',
      );
    }
    this.#waiting.delete(request.callRecordId);
    return true;
  }
}

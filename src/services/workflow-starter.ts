/**
 * Gives every call that was admitted without Temporal its workflow, as soon as there is a Temporal;
 * until then it sees to it that some process of the API looks after the talk. Any number of processes
 * may do so at once: a workflow is started once per call, and promises are made one at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admission, AdmitRequest } from '../contracts/call-workflow.ts';
import type { Database } from '../db/tenant-scope.ts';
import { HoldfastError } from '../domain/errors.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { CallGateway } from './call-gateway.ts';
import type { CallRef } from './calls.ts';
import { markStarted, unstartedCall, unstartedCalls } from './fail-open-calls.ts';
import type { TemporalWatch } from './temporal-watch.ts';

export interface WorkflowStarterOptions {
  readonly db: Database;
  readonly gateway: Pick<CallGateway, 'admit'>;
  readonly watch: Pick<TemporalWatch, 'away' | 'suspect'>;
  readonly admitHere: (request: AdmitRequest) => Promise<Admission>;
  /** @returns false when another process looks after the talk. */
  readonly promise: (call: CallRef) => Promise<boolean>;
  readonly standIns: {
    has(callId: string): boolean;
    /** The talk has begun already, in another process. */
    adopt(admission: Admission): void;
    release(callId: string): void;
  };
  readonly now: () => Date;
  readonly logger: Logger;
  readonly everyMs?: number;
}

const EVERY_MS = 2_000;
/** At once: Temporal has just come back, and has callers to serve as well. */
const AT_ONCE = 4;

export class WorkflowStarter implements AsyncDisposable {
  readonly #options: WorkflowStarterOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(options: WorkflowStarterOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Without waiting for the next round. */
  soon(): void {
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { db, logger } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        const calls = await unstartedCalls(db);
        await Promise.all(Array.from({ length: AT_ONCE }, async () => this.#settleAll(calls)));
      } catch (error) {
        logger.debug({ event: 'sweep_failed', error: errorFacts(error) }, 'Calls without a workflow could not be looked for');
      }
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    if (this.#stop.signal.aborted) return;
    await sleep(this.#options.everyMs ?? EVERY_MS, undefined, { signal: woken.signal }).catch(() => undefined);
  }

  async #settleAll(calls: CallRef[]): Promise<void> {
    for (let call = calls.shift(); call !== undefined && !this.#stop.signal.aborted; call = calls.shift()) {
      await this.#settle(call).catch((error: unknown) => {
        this.#options.logger.warn(
          { event: 'workflow_start_failed', callId: call?.callId, error: errorFacts(error) },
          'A call still waits for its workflow',
        );
      });
    }
  }

  async #settle(call: CallRef): Promise<void> {
    const { db, watch } = this.#options;
    const unstarted = await unstartedCall(db, call);
    if (unstarted === null) return;
    if (!watch.away) await this.#start(call, unstarted.request);
    else if (!unstarted.over) await this.#adopt(call, unstarted.request);
  }

  async #start(call: CallRef, request: AdmitRequest): Promise<void> {
    const { db, gateway, watch, standIns, now, logger } = this.#options;
    try {
      await gateway.admit(request);
    } catch (error) {
      if (!(error instanceof HoldfastError) || !error.retryable) throw error;
      // Its workflow runs, whatever it thinks of the webhook.
      if (error.details['answered'] !== true) return watch.suspect(error);
    }
    standIns.release(call.callId);
    await markStarted(db, call, now());
    logger.info({ event: 'workflow_started_late', callId: call.callId }, 'A call that was admitted without Temporal has its workflow');
  }

  /** The process that looked after the talk has died. */
  async #adopt(call: CallRef, request: AdmitRequest): Promise<void> {
    const { standIns, admitHere, promise } = this.#options;
    if (standIns.has(call.callId) || !(await promise(call))) return;
    const admission = await admitHere(request);
    if (admission.plan !== null) standIns.adopt(admission);
  }
}

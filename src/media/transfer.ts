/** One try to send the caller to somebody else, from the moment they leave this application. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { CallControl, OwnedCall } from './call-control.ts';
import type { TransferOutcome } from './turn-taking.ts';

export interface TransferOptions {
  readonly callControl: Pick<CallControl, 'startTransfer' | 'transferOutcome'>;
  readonly call: OwnedCall;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** From the dialplan back into the application. */
const RETURN_WITHIN_MS = 3_000;

export class Transfer {
  readonly #options: TransferOptions;
  readonly #returned = Promise.withResolvers<void>();

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** The caller is back. */
  returned(): void {
    this.#returned.resolve();
  }

  /** `failed`: the caller is back, or never left. Never rejects. */
  async to(address: string): Promise<TransferOutcome> {
    const { callControl, call, signal, logger } = this.#options;
    try {
      await callControl.startTransfer(call, address);
      const outcome = await Promise.race([callControl.transferOutcome(call, signal), this.#returned.promise.then(() => 'failed' as const)]);
      if (outcome === 'failed') await Promise.race([this.#returned.promise, sleep(RETURN_WITHIN_MS, undefined, { signal })]);
      return outcome;
    } catch (error) {
      if (!signal.aborted) logger.warn({ event: 'transfer_failed', error: errorFacts(error) }, 'The caller could not be transferred');
      return 'failed';
    }
  }
}

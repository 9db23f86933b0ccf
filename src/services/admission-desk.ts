/**
 * Answers the webhook. The call's workflow decides when it can be asked in time; when it cannot, the
 * same rules are applied here, to the same row, and somebody stands in for the workflow until Temporal
 * has it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admission, AdmitRequest } from '../contracts/call-workflow.ts';
import type { InboundWebhookResponse } from '../contracts/telephony-webhook.ts';
import { HoldfastError } from '../domain/errors.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { CallGateway } from './call-gateway.ts';
import type { TemporalWatch } from './temporal-watch.ts';

export interface AdmissionDeskOptions {
  readonly gateway: Pick<CallGateway, 'admit'>;
  readonly watch: Pick<TemporalWatch, 'away' | 'suspect'>;
  /** Admits by the rules alone. @throws HoldfastError dependency_unavailable. */
  readonly admitHere: (request: AdmitRequest) => Promise<Admission>;
  /** The call was taken here: look after its talk. Idempotent. */
  readonly attend: (admission: Admission) => void;
  /** The caller hears the apology; a record is owed. Idempotent. */
  readonly missed: (request: AdmitRequest) => void;
  readonly logger: Logger;
}

/** The dialplan waits 2 s for an answer, and asks twice; Temporal has had up to 1.5 s of them. */
const HERE_AFTER_TEMPORAL_MS = 400;
const HERE_AT_ONCE_MS = 1_700;
/**
 * A small Temporal starts some 20 calls a second: of a hundred that arrive at once most would wait in
 * vain, and the few that could be served with them. The others are decided here, where it takes no time.
 */
const ASKED_AT_ONCE = 12;

export class AdmissionDesk {
  readonly #options: AdmissionDeskOptions;
  /** Webhooks that wait for their workflows now. */
  #asking = 0;
  /** Admissions under way here, by call. */
  readonly #taking = new Map<string, Promise<Admission>>();

  constructor(options: AdmissionDeskOptions) {
    this.#options = options;
  }

  /**
   * The same call id always gets the same answer.
   * @throws HoldfastError admission_timeout or dependency_unavailable (retryable) when neither Temporal nor PostgreSQL could be asked in time.
   */
  async admit(request: AdmitRequest): Promise<InboundWebhookResponse> {
    const { gateway, watch } = this.#options;
    if (watch.away || this.#asking >= ASKED_AT_ONCE || this.#taking.has(request.callRecordId))
      return this.#admitHere(request, HERE_AT_ONCE_MS);
    this.#asking += 1;
    try {
      return await gateway.admit(request);
    } catch (error) {
      if (!(error instanceof HoldfastError) || !error.retryable) throw error;
      // A workflow that answered "not in time" has been reached: it is PostgreSQL that is slow.
      if (error.details['answered'] !== true) watch.suspect(error);
      return await this.#admitHere(request, HERE_AFTER_TEMPORAL_MS);
    } finally {
      this.#asking -= 1;
    }
  }

  async #admitHere(request: AdmitRequest, withinMs: number): Promise<InboundWebhookResponse> {
    const { missed, logger } = this.#options;
    try {
      const { response } = await within(withinMs, this.#taken(request));
      logger.warn(
        { event: 'admitted_fail_open', callId: request.callRecordId, status: response.status },
        'A call was admitted without Temporal',
      );
      return response;
    } catch (error) {
      logger.error(
        { event: 'admission_failed', callId: request.callRecordId, error: errorFacts(error) },
        'A call could not be admitted: its caller hears an apology',
      );
      missed(request);
      throw error;
    }
  }

  /** A dialplan that asks again while its first question is still being decided waits for the same answer. */
  #taken(request: AdmitRequest): Promise<Admission> {
    const { callRecordId } = request;
    const running = this.#taking.get(callRecordId) ?? this.#take(request).finally(() => this.#taking.delete(callRecordId));
    this.#taking.set(callRecordId, running);
    return running;
  }

  /** Also when nobody waits any more: what is on record as live must be looked after. */
  async #take(request: AdmitRequest): Promise<Admission> {
    const admission = await this.#options.admitHere(request);
    // Given up in the meantime, by its workflow or by us: the caller has been told.
    if (admission.over != null) throw new HoldfastError('admission_timeout', 'The call is over', { retryable: false });
    if (admission.plan !== null) this.#options.attend(admission);
    return admission;
  }
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const timeUp = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timeUp.signal }).then(() => {
    throw new HoldfastError('admission_timeout', 'The records did not answer in time', { retryable: true });
  });
  late.catch(() => undefined);
  // Late is not lost: what it throws then has nobody to hear it.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timeUp.abort();
  }
}

/** Where a call of Twilio goes: to the media node that has it, whichever that is by now. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { AdmitRequest } from '../contracts/call-workflow.ts';
import { liveCallKeys, type MediaNode } from '../contracts/media-node.ts';
import type { AdmissionStatus, InboundWebhookResponse } from '../contracts/telephony-webhook.ts';
import { STREAM_TRIES } from '../contracts/twilio.ts';

export type TwilioCourse =
  /** The stream of this epoch; `url` without the call. */
  | { readonly kind: 'stream'; readonly url: string; readonly epoch: number }
  | { readonly kind: 'refused'; readonly status: Exclude<AdmissionStatus, 'accepted'>; readonly message: string }
  | { readonly kind: 'over' }
  /** Nobody can be found who serves the caller. */
  | { readonly kind: 'unserved' };

export interface TwilioCallsOptions {
  readonly redis: Redis;
  readonly desk: { admit(request: AdmitRequest): Promise<InboundWebhookResponse> };
  readonly nodes: { announced(): Promise<readonly MediaNode[]> };
  readonly patienceMs?: number;
}

export interface EndedStream {
  readonly callId: string;
  /** Epoch whose stream it was. */
  readonly after: number;
  /** Streams that have ended before it. */
  readonly tries: number;
}

/** A node's death is noticed within 0.75 s; a stream that broke at a live node goes back to it after this. */
const PATIENCE_MS = 1_500;
const POLL_MS = 50;
/** A node that got no plan lets go of its caller: once may be chance. */
const TRIES_UNKNOWN = 2;

const standing = z.object({
  state: z.string(),
  epoch: z.coerce.number().int().positive(),
  nodeId: z.string(),
  apology: z.string().optional(),
});
type StandingCall = z.infer<typeof standing>;

export class TwilioCalls {
  readonly #options: TwilioCallsOptions;

  constructor(options: TwilioCallsOptions) {
    this.#options = options;
  }

  /** @throws HoldfastError as AdmissionDesk.admit. */
  async arrive(request: AdmitRequest): Promise<TwilioCourse> {
    const answer = await this.#options.desk.admit(request);
    if (answer.status !== 'accepted') return { kind: 'refused', status: answer.status, message: answer.message };
    if (answer.media_app === null) return { kind: 'over' };
    const node = (await this.#options.nodes.announced()).find(({ app }) => app === answer.media_app);
    return node?.streamUrl === undefined ? { kind: 'unserved' } : { kind: 'stream', url: node.streamUrl, epoch: 1 };
  }

  /** Waits a moment for somebody to take the call over. @returns null when nothing is known of the call. */
  async goOn({ callId, after, tries }: EndedStream): Promise<TwilioCourse | null> {
    if (tries >= STREAM_TRIES) return { kind: 'unserved' };
    const deadline = performance.now() + (this.#options.patienceMs ?? PATIENCE_MS);
    let call = await this.#standing(callId);
    while ((call === null || (call.state !== 'ended' && call.epoch <= after)) && performance.now() < deadline) {
      await sleep(POLL_MS);
      call = await this.#standing(callId);
    }
    if (call === null) return tries >= TRIES_UNKNOWN ? { kind: 'unserved' } : null;
    if (call.state === 'ended') return { kind: call.apology === undefined ? 'over' : 'unserved' };
    const { nodeId, epoch } = call;
    const node = (await this.#options.nodes.announced()).find(({ id }) => id === nodeId);
    return node?.streamUrl === undefined ? { kind: 'unserved' } : { kind: 'stream', url: node.streamUrl, epoch };
  }

  async #standing(callId: string): Promise<StandingCall | null> {
    const fields = await this.#options.redis.hgetall(liveCallKeys(callId).state).catch(() => ({}));
    return standing.safeParse(fields).data ?? null;
  }
}

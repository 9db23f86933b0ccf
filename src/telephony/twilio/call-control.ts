/**
 * The media node's wishes, for a call of Twilio. There is nothing to answer, to bridge or to hang up
 * here: whoever has the stream has the caller, and when the stream ends, Twilio asks the API where to go
 * (src/contracts/twilio.ts). Whose the call is stands in Redis, under its epoch.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { callSidOf, goOnUrl } from '../../contracts/twilio.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { CallControl, LegRequest, OwnedCall, Standing } from '../../media/call-control.ts';
import type { MediaLeg } from '../../media/legs/leg.ts';
import { errorFacts, type Logger } from '../../telemetry.ts';
import type { TwilioRest } from './rest.ts';
import type { TwilioStreams } from './streams.ts';

export interface TwilioCallControlOptions {
  readonly nodeId: string;
  /** Of the API. */
  readonly publicUrl: string;
  readonly streams: TwilioStreams;
  readonly rest: TwilioRest;
  /** Who has the call, as Redis knows. */
  readonly ownerOf: (callId: string) => Promise<{ readonly epoch: number; readonly nodeId: string } | null>;
  readonly logger: Logger;
}

/** Twilio opens a stream within a second; its request for instructions may take the API a moment more. */
const STREAM_WITHIN_MS = 10_000;
/** A dead node's stream has ended by itself by then, and Twilio is on its way; one that hangs or leaves still holds it. */
const PULL_AFTER_MS = 1_000;

export function createTwilioCallControl(options: TwilioCallControlOptions): CallControl {
  const { nodeId, publicUrl, streams, rest, ownerOf, logger } = options;

  const standing = async ({ callId, channelId, epoch }: OwnedCall): Promise<Standing> => {
    // Without Redis nobody else can have been told of the call either.
    const owner = await ownerOf(callId).catch(() => null);
    if (owner !== null && (owner.epoch > epoch || (owner.epoch === epoch && owner.nodeId !== nodeId))) return 'lost';
    return streams.stopped(channelId) ? 'gone' : 'ours';
  };

  const join = async ({ channelId, events }: LegRequest): Promise<MediaLeg> => {
    const stream = await streams.take(channelId, STREAM_WITHIN_MS);
    if (stream === null) throw new HoldfastError('channel_missing', 'Twilio has opened no stream for the call');
    return stream.leg(events);
  };

  const pull = async ({ channelId, epoch }: OwnedCall, signal: AbortSignal): Promise<void> => {
    await sleep(PULL_AFTER_MS, undefined, { signal });
    await rest.leadTo(callSidOf(channelId), goOnUrl(publicUrl, { after: epoch - 1, tries: 0 }));
  };

  const letGo = async (call: OwnedCall): Promise<void> => {
    if (call.callId !== '' && (await standing(call)) === 'lost') return;
    await streams.release(call.channelId);
  };

  return {
    connect: join,
    async takeOver(request) {
      const arrived = new AbortController();
      pull(request, arrived.signal).catch((error: unknown) => {
        if (!arrived.signal.aborted)
          logger.warn({ event: 'pull_failed', error: errorFacts(error) }, 'Twilio does not bring the caller here');
      });
      return join(request).finally(() => arrived.abort());
    },
    async rejoin(request) {
      const now = await standing(request);
      if (now === 'lost') throw new HoldfastError('stale_epoch', 'A newer owner has this call');
      if (now === 'gone') throw new HoldfastError('channel_missing', 'The caller is gone');
      return join(request);
    },
    standing,
    claim: async () => undefined,
    hangup: letGo,
    release: letGo,
    giveBack: letGo,
    async startTransfer() {
      throw new HoldfastError('transfer_forbidden', 'A call over a media stream cannot be transferred');
    },
    transferOutcome: async () => 'failed',
  };
}

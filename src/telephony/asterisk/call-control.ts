/** The media node's wishes, told to Asterisk: answer, bridge with a chan_websocket leg, take over, hang up, give back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../domain/errors.ts';
import type { CallControl, LegRequest, OwnedCall, Standing } from '../../media/call-control.ts';
import { connectAsteriskWebsocketLeg } from '../../media/legs/asterisk-websocket.ts';
import type { MediaLeg } from '../../media/legs/leg.ts';
import { errorFacts, type Logger } from '../../telemetry.ts';
import { isUnanswered } from './ari-rest.ts';
import { bridgeIdFor, callOfMediaChannel, isMediaChannelId, newMediaChannelId, OWNER_VARIABLE } from './ari-ids.ts';
import type { Ari } from './ari.ts';

export interface CallControlOptions {
  readonly nodeId: string;
  readonly logger: Logger;
}

/** Where the dialplan speaks its apology; see asterisk/templates/extensions.conf. */
const FALLBACK = { context: 'holdfast-fallback', extension: 's', priority: 1 };
/** Where the dialplan dials the address, see there; longer than it lets it ring. */
const TRANSFER = { context: 'holdfast-transfer', extension: 's', priority: 1 };
const TRANSFER_WITHIN_MS = 60_000;
const TRANSFER_POLL_MS = 200;
/** A caller who is still in the dialplan, on the way to a node that has died, can be moved once they have arrived. */
const MOVE_WITHIN_MS = 8_000;
const MOVE_PAUSE_MS = 100;
/** A PBX that does not answer for so long, after the leg has closed, is lost, and its calls with it. */
const PBX_LOST_MS = 2_500;
const REJOIN_PAUSE_MS = 100;
/** A caller whose call is over is let go as soon as the PBX answers again; the janitor finds who is left then. */
const PERSIST_MS = 60_000;
const PERSIST_PAUSE_MS = 500;

export function createCallControl(ari: Ari, { nodeId, logger }: CallControlOptions): CallControl {
  const claim = ({ channelId, epoch }: OwnedCall): Promise<void> => ari.setVariable(channelId, OWNER_VARIABLE, `${epoch}:${nodeId}`);

  const standing = async ({ channelId, epoch }: OwnedCall): Promise<Standing> => {
    try {
      const owner = ownerFrom(await ari.getVariable(channelId, OWNER_VARIABLE));
      const other = owner !== null && (owner.epoch > epoch || (owner.epoch === epoch && owner.nodeId !== nodeId));
      return other ? 'lost' : 'ours';
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'channel_missing') return 'gone';
      throw error;
    }
  };

  const openLeg = async (mediaChannelId: string, { events }: LegRequest): Promise<MediaLeg> => {
    const { mediaUrl } = await ari.createExternalMedia({ channelId: mediaChannelId, format: 'slin16' });
    return connectAsteriskWebsocketLeg({ url: mediaUrl, events, logger });
  };

  /** Joins the caller with a new leg; `others` is what has to be done beside it, for the same silence. */
  const join = async (request: LegRequest, others: readonly Promise<void>[]): Promise<MediaLeg> => {
    const bridgeId = bridgeIdFor(request.callId);
    const mediaChannelId = newMediaChannelId(request);
    const opening = openLeg(mediaChannelId, request);
    const [, ...steps] = await Promise.allSettled([opening, ari.createBridge(bridgeId), ...others]);
    const leg = await opening;
    try {
      // Only now: a leg that was still on its way when the others failed would stay open for ever.
      for (const step of steps) if (step.status === 'rejected') throw step.reason;
      await ari.addToBridge(bridgeId, [request.channelId, mediaChannelId]);
    } catch (error) {
      await leg.close();
      throw error;
    }
    return leg;
  };

  const onlyOurs = async (call: OwnedCall, act: () => Promise<void>): Promise<void> => {
    if ((await standing(call)) === 'ours') await act();
    else logger.info({ event: 'left_alone', callId: call.callId, epoch: call.epoch }, 'The call is gone, or another node has it');
  };

  const removeLegs = async (bridgeId: string): Promise<void> => {
    const left = (await ari.bridgedChannels(bridgeId)).filter(isMediaChannelId);
    for (const result of await Promise.allSettled(left.map((id) => ari.hangup(id)))) {
      if (result.status === 'rejected') logger.warn({ error: errorFacts(result.reason) }, 'A media channel is left');
    }
  };

  const joinAgain = async (request: LegRequest, signal: AbortSignal): Promise<MediaLeg> => {
    const now = await standing(request);
    if (now === 'lost') throw new HoldfastError('stale_epoch', 'A newer owner has this call');
    if (now === 'gone') throw (await ari.restarted()) ? pbxLost() : new HoldfastError('channel_missing', 'The caller is gone');
    await removeLegs(bridgeIdFor(request.callId));
    // The answer of a PBX that woke up too late: the call is over by now.
    if (signal.aborted) throw pbxLost();
    return join(request, []);
  };

  /** The caller's channel from whoever had it, and the media channels of a former node out of the bridge. */
  const take = async (request: LegRequest): Promise<void> => {
    if ((await standing(request)) === 'lost') throw new HoldfastError('stale_epoch', 'A newer owner has this call');
    await claimWhenInApp(() => claim(request));
    const before = await ari.bridgedChannels(bridgeIdFor(request.callId));
    const former = before.filter((id) => callOfMediaChannel(id)?.epoch !== request.epoch && isMediaChannelId(id));
    await Promise.all([
      // Moved to where it is, it would leave and come back, and be taken for a caller who hangs up.
      ...(ari.holds(request.channelId) ? [] : [ari.moveChannel(request.channelId, [request.callId])]),
      ...(before.includes(request.channelId) ? [] : [ari.answer(request.channelId)]),
      ...former.map((id) => ari.hangup(id)),
    ]);
  };

  const release = (call: OwnedCall): Promise<void> =>
    persistently(async () => {
      if ((await standing(call)) === 'lost') return;
      const bridgeId = bridgeIdFor(call.callId);
      await removeLegs(bridgeId);
      await ari.destroyBridge(bridgeId);
    });

  return {
    connect: (request) =>
      join(request, [ari.answer(request.channelId), claim(request)]).catch((error: unknown) => {
        throw isUnanswered(error) ? pbxLost(error) : error;
      }),
    async rejoin(request) {
      const timeUp = new AbortController();
      const giveUp = sleep(PBX_LOST_MS, undefined, { signal: timeUp.signal }).then(() => Promise.reject(pbxLost()));
      const trying = untilAnswered(() => joinAgain(request, timeUp.signal), timeUp.signal);
      try {
        return await Promise.race([trying, giveUp]);
      } catch (error) {
        // A leg that comes after all would be a second voice in a call that is over, in a bridge that was removed.
        void trying
          .then((leg) => leg.close())
          .catch(() => undefined)
          .then(() => release(request))
          .catch(() => undefined);
        throw error;
      } finally {
        giveUp.catch(() => undefined);
        timeUp.abort();
      }
    },
    // The leg is opened meanwhile: should the call turn out to be another node's, it is closed again, unheard.
    takeOver: (request) => join(request, [take(request)]),
    standing,
    claim,
    hangup: (call) => persistently(() => onlyOurs(call, () => ari.hangup(call.channelId))),
    release,
    async startTransfer({ callId, channelId }, to) {
      for (const [name, value] of Object.entries({ HF_TRANSFER_TO: to, HF_TRANSFER: 'dialling', HF_APP: ari.app, HF_RECORD: callId }))
        await ari.setVariable(channelId, name, value);
      await ari.continueInDialplan(channelId, TRANSFER);
      await ari.destroyBridge(bridgeIdFor(callId));
    },
    async transferOutcome({ channelId }, signal) {
      const deadline = performance.now() + TRANSFER_WITHIN_MS;
      while (performance.now() < deadline) {
        const outcome = await ari.getVariable(channelId, 'HF_TRANSFER').catch((error: unknown) => {
          if (error instanceof HoldfastError && error.code === 'channel_missing') return 'gone' as const;
          // The PBX may be slow for a moment: the next question will tell.
          return null;
        });
        if (outcome === 'answered' || outcome === 'failed' || outcome === 'gone') return outcome;
        await sleep(TRANSFER_POLL_MS, undefined, { signal });
      }
      return 'failed';
    },
    giveBack: (call) => persistently(() => onlyOurs(call, () => giveBack(ari, call.channelId).catch(unlessGone))),
  };
}

const pbxLost = (cause?: unknown): HoldfastError =>
  new HoldfastError('pbx_lost', 'The PBX does not answer, or has been started afresh', { cause });

function unlessGone(error: unknown): void {
  if (!(error instanceof HoldfastError) || error.code !== 'channel_missing') throw error;
}

const isRetryable = (error: unknown): boolean => error instanceof HoldfastError && error.retryable;

async function untilAnswered<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error) || signal.aborted) throw error;
      await sleep(REJOIN_PAUSE_MS);
    }
  }
}

async function persistently(work: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + PERSIST_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error) || performance.now() > deadline) throw error;
      await sleep(PERSIST_PAUSE_MS);
    }
  }
}

/** The PBX says 409 of a channel that is not in any application yet. */
async function claimWhenInApp(claim: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + MOVE_WITHIN_MS;
  for (;;) {
    try {
      return await claim();
    } catch (error) {
      const early = error instanceof HoldfastError && error.details['status'] === 409;
      if (!early || performance.now() > deadline) throw error;
      await sleep(MOVE_PAUSE_MS);
    }
  }
}

function ownerFrom(value: string | null): { readonly epoch: number; readonly nodeId: string } | null {
  const match = /^(\d+):(.+)$/.exec(value ?? '');
  return match === null ? null : { epoch: Number(match[1]), nodeId: match[2] as string };
}

export function giveBack(ari: Ari, channelId: string): Promise<void> {
  return ari.continueInDialplan(channelId, FALLBACK);
}

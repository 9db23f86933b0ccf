/** Where the media node looks for a PBX, there are only streams: the caller is the stream, and ends with it. */
import { HoldfastError } from '../../../../src/domain/errors.ts';
import type { CallControl, LegRequest, OwnedCall, Standing } from '../../../../src/media/call-control.ts';
import type { MediaLeg } from '../../../../src/media/legs/leg.ts';
import type { TwilioStream } from '../../../../src/media/legs/twilio.ts';
import type { TransferOutcome } from '../../../../src/media/turn-taking.ts';

export class StreamCalls implements CallControl {
  readonly #streams = new Map<string, TwilioStream>();

  /** The caller's channel is the stream, until that closes. */
  add(channelId: string, stream: TwilioStream): void {
    this.#streams.set(channelId, stream);
    void stream.closed.then(() => this.#streams.delete(channelId));
  }

  async connect({ channelId, events }: LegRequest): Promise<MediaLeg> {
    const stream = this.#streams.get(channelId);
    if (stream === undefined) throw gone();
    return stream.leg(events);
  }

  async takeOver(): Promise<never> {
    throw gone();
  }

  async rejoin(): Promise<never> {
    throw gone();
  }

  async standing({ channelId }: OwnedCall): Promise<Standing> {
    return this.#streams.has(channelId) ? 'ours' : 'gone';
  }

  async claim(): Promise<void> {}

  async hangup({ channelId }: OwnedCall): Promise<void> {
    await this.#streams.get(channelId)?.close();
  }

  async release(): Promise<void> {}

  async startTransfer(): Promise<never> {
    throw gone();
  }

  async transferOutcome(): Promise<TransferOutcome> {
    return 'gone';
  }

  async giveBack(call: OwnedCall): Promise<void> {
    await this.hangup(call);
  }
}

const gone = (): HoldfastError => new HoldfastError('channel_missing', 'There is nothing of the caller but their stream');

/** The media streams that Twilio has opened to this node, by channel id, and who waits for one. */
import type { TwilioStream } from '../../media/legs/twilio.ts';

export interface TwilioStreamsOptions {
  /** A caller comes whom nobody here has talked to. */
  readonly onEntered: (channelId: string, callId: string) => void;
  /** The caller is gone, or led elsewhere. */
  readonly onLeft: (channelId: string) => void;
}

interface Waiting {
  readonly resolve: (stream: TwilioStream | null) => void;
  readonly timer: NodeJS.Timeout;
}

/** For a question that is asked after the end. */
const STOPPED_KEPT_MS = 60_000;

export class TwilioStreams {
  readonly #options: TwilioStreamsOptions;
  /** Open, newest of its call. */
  readonly #streams = new Map<string, TwilioStream>();
  readonly #untaken = new Set<TwilioStream>();
  /** Calls that a session here has had a stream of: a further one is a matter between the two. */
  readonly #known = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #stopped = new Map<string, NodeJS.Timeout>();

  constructor(options: TwilioStreamsOptions) {
    this.#options = options;
  }

  arrived(channelId: string, callId: string, stream: TwilioStream): void {
    const former = this.#streams.get(channelId);
    this.#streams.set(channelId, stream);
    this.#untaken.add(stream);
    this.#forgetStop(channelId);
    void former?.close();
    void stream.closed.then(() => this.#closed(channelId, stream));
    const waiting = this.#waiting.get(channelId);
    if (waiting !== undefined) this.#hand(channelId, waiting, stream);
    else if (!this.#known.has(channelId)) this.#options.onEntered(channelId, callId);
  }

  /** The stream of the call that nobody has taken yet, or the next one; null when none comes in time or the caller is gone. */
  take(channelId: string, withinMs: number): Promise<TwilioStream | null> {
    this.#known.add(channelId);
    const present = this.#streams.get(channelId);
    if (present !== undefined && this.#untaken.delete(present)) return Promise.resolve(present);
    this.#giveUp(channelId);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#giveUp(channelId), withinMs);
      this.#waiting.set(channelId, { resolve, timer });
    });
  }

  /** Twilio has said that the last stream of this call is over, and none has come since. */
  stopped(channelId: string): boolean {
    return this.#stopped.has(channelId);
  }

  /** Ends what there is of the call here. */
  async release(channelId: string): Promise<void> {
    this.#known.delete(channelId);
    this.#giveUp(channelId);
    await this.#streams.get(channelId)?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const channelId of this.#waiting.keys()) this.#giveUp(channelId);
    await Promise.all([...this.#streams.values()].map((stream) => stream.close()));
    for (const timer of this.#stopped.values()) clearTimeout(timer);
  }

  #hand(channelId: string, { resolve, timer }: Waiting, stream: TwilioStream): void {
    clearTimeout(timer);
    this.#waiting.delete(channelId);
    this.#untaken.delete(stream);
    resolve(stream);
  }

  #giveUp(channelId: string): void {
    const waiting = this.#waiting.get(channelId);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(channelId);
    waiting?.resolve(null);
  }

  #closed(channelId: string, stream: TwilioStream): void {
    const untaken = this.#untaken.delete(stream);
    if (this.#streams.get(channelId) !== stream) return;
    this.#streams.delete(channelId);
    if (stream.closedHere) this.#known.delete(channelId);
    if (stream.stopped) {
      this.#stopped.set(channelId, setTimeout(() => this.#stopped.delete(channelId), STOPPED_KEPT_MS).unref());
      this.#giveUp(channelId);
    }
    if (stream.stopped || untaken) this.#options.onLeft(channelId);
  }

  #forgetStop(channelId: string): void {
    clearTimeout(this.#stopped.get(channelId));
    this.#stopped.delete(channelId);
  }
}

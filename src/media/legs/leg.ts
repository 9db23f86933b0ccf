/**
 * A media leg: the caller's audio, in and out, whatever carries it. PCM is mono signed 16-bit at
 * `sampleRate`. Playback is queued by the far end's playout clock; marks come back as the caller
 * hears them.
 */
export interface MediaLegEvents {
  /** ~20 ms of the caller's audio. The array is only valid during the call. */
  onAudio(pcm: Int16Array): void;
  /** A mark was reached by playback. */
  onMark(id: string): void;
  onDtmf(digit: string): void;
  /** The leg is gone; nothing follows. */
  onClosed(reason: string): void;
}

export interface MediaLeg {
  readonly sampleRate: 8000 | 16000;
  /** Queues audio behind what is playing. */
  play(pcm: Int16Array): void;
  /** Queues a mark behind the audio queued so far. Ids are at most 40 characters. */
  mark(id: string): void;
  /** Silences playback within one frame; the position is kept. */
  pause(): void;
  /** Goes on at the sample where pause stopped. */
  resume(): void;
  /** Drops what is queued, marks included (they never come back), and un-pauses. */
  clear(): void;
  close(): Promise<void>;
}

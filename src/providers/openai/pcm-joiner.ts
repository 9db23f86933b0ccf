/** Bytes of s16le as a network cuts them → whole samples. A chunk may end in the middle of one. */
export class PcmJoiner {
  #pending: number | undefined;
  #samples = 0;

  /** Samples completed by these bytes; the array is the caller's to keep. */
  push(bytes: Uint8Array): Int16Array {
    const carried = this.#pending === undefined ? 0 : 1;
    const total = bytes.length + carried;
    const whole = new Uint8Array(total - (total % 2));
    if (carried === 1 && whole.length > 0) whole[0] = this.#pending ?? 0;
    whole.set(bytes.subarray(0, Math.max(0, whole.length - carried)), whole.length > 0 ? carried : 0);
    if (total % 2 === 0) this.#pending = undefined;
    else if (bytes.length > 0) this.#pending = bytes[bytes.length - 1];
    // Every platform Node runs on is little-endian, as the wire is.
    const pcm = new Int16Array(whole.buffer);
    this.#samples += pcm.length;
    return pcm;
  }

  get samples(): number {
    return this.#samples;
  }

  get halfSample(): boolean {
    return this.#pending !== undefined;
  }
}

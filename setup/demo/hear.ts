/**
 * Speech in a signal, by energy alone: 20 ms RMS every 10 ms; on at -45 dBFS for 30 ms, off below
 * -50 dBFS. Pure: time is counted in samples, so a live line and a recording are judged alike.
 */
const HOP_MS = 10;
const ON_DBFS = -45;
const OFF_DBFS = -50;
const HOPS_TO_ON = 3;
const BRIDGE_MS = 200;
const SHORTEST_MS = 50;

export interface HearingChange {
  readonly kind: 'on' | 'off';
  /** Since the first sample, where the energy began or ended (not when that became certain). */
  readonly atMs: number;
}

export interface Listener {
  /** Any number of samples; reports what changed within them, in order. */
  push(pcm: Int16Array): readonly HearingChange[];
  readonly speaking: boolean;
}

export function createListener(sampleRate: number): Listener {
  const hopSamples = (sampleRate * HOP_MS) / 1_000;
  let sum = 0;
  let filled = 0;
  let previous = 0;
  let hops = 0;
  let loudHops = 0;
  let speaking = false;

  const endHop = (): HearingChange | undefined => {
    const power = (previous + sum) / (2 * hopSamples);
    const dbfs = 10 * Math.log10(power / 32_768 ** 2 + 1e-12);
    previous = sum;
    sum = 0;
    filled = 0;
    hops += 1;
    if (speaking) {
      if (dbfs >= OFF_DBFS) return undefined;
      speaking = false;
      loudHops = 0;
      return { kind: 'off', atMs: (hops - 1) * HOP_MS };
    }
    loudHops = dbfs >= ON_DBFS ? loudHops + 1 : 0;
    if (loudHops < HOPS_TO_ON) return undefined;
    speaking = true;
    return { kind: 'on', atMs: (hops - HOPS_TO_ON) * HOP_MS };
  };
  return {
    push(pcm) {
      const changes: HearingChange[] = [];
      for (let i = 0; i < pcm.length; i++) {
        const sample = pcm[i] ?? 0;
        sum += sample * sample;
        filled += 1;
        const change = filled === hopSamples ? endHop() : undefined;
        if (change !== undefined) changes.push(change);
      }
      return changes;
    },
    get speaking() {
      return speaking;
    },
  };
}

export interface Segment {
  readonly startMs: number;
  readonly endMs: number;
}

/** Stretches of speech; gaps shorter than `bridgeMs` belong to them, and those under 50 ms are noise. */
export function speechSegments(pcm: Int16Array, sampleRate: number, bridgeMs = BRIDGE_MS): Segment[] {
  const listener = createListener(sampleRate);
  const segments: { startMs: number; endMs: number }[] = [];
  const totalMs = (pcm.length * 1_000) / sampleRate;
  for (const change of listener.push(pcm)) {
    const last = segments.at(-1);
    if (change.kind === 'off') {
      if (last !== undefined) last.endMs = change.atMs;
    } else if (last !== undefined && change.atMs - last.endMs < bridgeMs) last.endMs = totalMs;
    else segments.push({ startMs: change.atMs, endMs: totalMs });
  }
  return segments.filter((segment) => segment.endMs - segment.startMs >= SHORTEST_MS);
}

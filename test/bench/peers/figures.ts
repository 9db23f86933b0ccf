/** A sample's figures. Percentiles are the nearest rank, as in the reference measurement. */
export interface Figures {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** One decimal. @returns null of nothing. */
export function figuresOf(sample: readonly number[]): Figures | null {
  if (sample.length === 0) return null;
  const sorted = [...sample].sort((a, b) => a - b);
  const rank = (share: number): number => round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { count: sorted.length, mean: round(mean), p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: rank(1) };
}

export const round = (value: number, decimals = 1): number => Math.round(value * 10 ** decimals) / 10 ** decimals;

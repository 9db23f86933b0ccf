/** Samples over time → where a figure began, where it ended, and how steeply it rises. Pure. */

export interface Sample {
  readonly atMs: number;
  /** By name, e.g. "media rss MB". */
  readonly values: Readonly<Record<string, number>>;
}

export interface Trend {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly max: number;
  /** Least squares over the samples after the warm-up; null with fewer than three. */
  readonly perHour: number | null;
}

const HOUR_MS = 3_600_000;
/** Caches fill and pools open in this part of the time. */
const WARM_UP_SHARE = 0.25;

export function trends(samples: readonly Sample[]): Trend[] {
  const [from = 0, to = 0] = [samples[0]?.atMs, samples.at(-1)?.atMs];
  const warm = samples.filter(({ atMs }) => atMs >= from + (to - from) * WARM_UP_SHARE);
  const names = [...new Set(samples.flatMap(({ values }) => Object.keys(values)))];
  return names.map((name) => {
    const points = warm.flatMap(({ atMs, values }) =>
      values[name] === undefined ? [] : [{ x: (atMs - from) / HOUR_MS, y: values[name] }],
    );
    const ys = points.map(({ y }) => y);
    return { name, first: ys[0] ?? 0, last: ys.at(-1) ?? 0, max: Math.max(0, ...ys), perHour: slope(points) };
  });
}

function slope(points: readonly { readonly x: number; readonly y: number }[]): number | null {
  if (points.length < 3) return null;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return spread === 0 ? null : points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
}

import { parseSoakOptions } from './options.ts';
import { trends } from './slope.ts';

const MINUTE_MS = 60_000;
const samples = (value: (minute: number) => number) =>
  Array.from({ length: 61 }, (_, minute) => ({ atMs: minute * MINUTE_MS, values: { rss: value(minute) } }));

describe('trends', () => {
  test('a leak has its slope per hour, a level has none, and the warm-up counts for neither', () => {
    expect(trends(samples((minute) => 100 + minute))[0]?.perHour).toBeCloseTo(60);
    const warmingUp = trends(samples((minute) => (minute < 10 ? minute * 10 : 100 + (minute % 2))))[0];
    expect(Math.abs(warmingUp?.perHour ?? 9)).toBeLessThan(0.5);
    expect(warmingUp).toMatchObject({ first: 101, last: 100, max: 101 });
  });

  test('says nothing of a slope that two samples cannot show', () => {
    expect(trends(samples(() => 1).slice(0, 2))[0]?.perHour).toBeNull();
  });
});

test('parseSoakOptions: one long call is one call', () => {
  expect(parseSoakOptions(['--long', '--minutes', '5', '--calls', '7'], '/here')).toMatchObject({ minutes: 5, calls: 1, long: true });
  expect(() => parseSoakOptions(['--minutes', 'x'], '/here')).toThrow();
});

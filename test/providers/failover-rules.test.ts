/** When another provider is asked as well, and which one is left alone: pure rules. */
import { Circuit } from '../../src/providers/failover/circuit.ts';
import { HedgeBudget } from '../../src/providers/failover/hedge-budget.ts';
import { deadlineMs, RecentLatencies } from '../../src/providers/failover/recent-latencies.ts';

const limits = { floorMs: 300, ceilingMs: 3_000, initialMs: 1_500, factor: 1 };

function latencies(tookMs: readonly number[], atMs = 0): RecentLatencies {
  const recent = new RecentLatencies();
  for (const each of tookMs) recent.note(each, atMs);
  return recent;
}
const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe('deadlineMs', () => {
  test('is what nineteen of twenty answers took, however slow the twentieth was', () => {
    expect(deadlineMs(latencies([...times(19, 600), 9_000]), limits, 0)).toBe(600);
    expect(deadlineMs(latencies([...times(18, 600), 900, 900]), limits, 0)).toBe(900);
  });

  test('stays between its floor and its ceiling', () => {
    expect(deadlineMs(latencies(times(20, 12)), limits, 0)).toBe(300);
    expect(deadlineMs(latencies(times(20, 8_000)), limits, 0)).toBe(3_000);
  });

  test('is the initial one while too little is known, and again when all that is known is old', () => {
    expect(deadlineMs(latencies(times(3, 200)), limits, 0)).toBe(1_500);
    expect(deadlineMs(latencies(times(20, 400)), limits, 60_000)).toBe(400);
    expect(deadlineMs(latencies(times(20, 400)), limits, 3_600_000)).toBe(1_500);
  });

  test('follows a provider that has become slower', () => {
    const recent = latencies(times(64, 400));
    for (const each of times(64, 1_200)) recent.note(each, 1);
    expect(deadlineMs(recent, limits, 1)).toBe(1_200);
  });
});

describe('Circuit', () => {
  /** Three failures in a row, at 0. */
  function broken(): Circuit {
    const circuit = new Circuit();
    expect([circuit.failed(0), circuit.failed(0), circuit.failed(0)]).toEqual([false, false, true]);
    return circuit;
  }

  test('a failure now and then changes nothing', () => {
    const circuit = new Circuit();
    for (let n = 0; n < 20; n++) {
      circuit.failed(n);
      circuit.failed(n);
      circuit.succeeded();
      expect(circuit.allows(n)).toBe(true);
    }
  });

  test('after three in a row the provider is left alone, then exactly one request tries it', () => {
    const circuit = broken();
    expect(circuit.allows(4_999)).toBe(false);
    expect(circuit.allows(5_000)).toBe(true);
    circuit.began(5_000);
    expect(circuit.allows(5_001)).toBe(false);
    circuit.succeeded();
    expect(circuit.allows(5_002)).toBe(true);
  });

  test('each failed try doubles the rest, up to a minute', () => {
    const circuit = broken();
    let atMs = 5_000;
    for (const restMs of [10_000, 20_000, 40_000, 60_000, 60_000]) {
      circuit.began(atMs);
      expect(circuit.failed(atMs)).toBe(true);
      expect(circuit.allows(atMs + restMs - 1)).toBe(false);
      atMs += restMs;
      expect(circuit.allows(atMs)).toBe(true);
    }
  });

  test('requests that were on their way when the rest began do not lengthen it', () => {
    const circuit = broken();
    for (const atMs of [100, 200, 300]) expect(circuit.failed(atMs)).toBe(false);
    expect(circuit.allows(5_000)).toBe(true);
  });

  test('a provider that says when it may be asked again is left alone at once, and so long', () => {
    const circuit = new Circuit();
    expect(circuit.failed(0, 20_000)).toBe(true);
    expect(circuit.allows(19_999)).toBe(false);
    expect(circuit.allows(20_000)).toBe(true);
  });

  test('nobody can ask to be left alone for more than a minute', () => {
    const circuit = new Circuit();
    circuit.failed(0, 86_400_000);
    expect(circuit.allows(60_000)).toBe(true);
  });

  test('a try that never tells how it went does not block the provider for ever', () => {
    const circuit = broken();
    circuit.began(5_000);
    expect(circuit.allows(20_000)).toBe(true);
  });
});

describe('HedgeBudget', () => {
  test('on a day when every request is late, no more than a tenth of them is sent twice', () => {
    const budget = new HedgeBudget();
    let hedges = 0;
    for (let n = 0; n < 1_000; n++) {
      budget.requested();
      if (budget.spend()) hedges += 1;
    }
    expect(hedges).toBeLessThanOrEqual(110);
    expect(hedges).toBeGreaterThanOrEqual(100);
  });

  test('after a quiet time there is room for a burst', () => {
    const budget = new HedgeBudget();
    while (budget.spend());
    for (let n = 0; n < 100; n++) budget.requested();
    expect(Array.from({ length: 12 }, () => budget.spend()).filter(Boolean)).toHaveLength(10);
  });
});

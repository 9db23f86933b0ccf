import { machineTime, stealShare } from './machine-time.ts';

test('stealShare is the part of all cores that the host took', () => {
  //                             user nice sys idle iowait irq softirq steal guest guest_nice
  const before = machineTime('cpu  100 0 50 800 0 0 0 50 7 0\ncpu0 1 2 3\n');
  const after = machineTime('cpu  150 0 75 1100 0 0 0 75 9 0\ncpu0 1 2 3\n');
  expect(before).toEqual({ total: 1_000, stolen: 50 });
  expect(stealShare(before, after)).toBeCloseTo(25 / 400);
  expect(stealShare(before, before)).toBe(0);
});

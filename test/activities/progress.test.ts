import { expect, test } from '@jest/globals';
import { progressFrom, type Progress } from '../../src/activities/progress.ts';

const left: Progress = {
  epoch: 2,
  lastSeq: 41,
  state: 'speaking',
  answeredAt: '2026-11-21T10:00:00.000Z',
  turnCount: 9,
  signals: 1,
  signalledThrough: 4,
};

test('progressFrom goes on where the last heartbeat of the same epoch stopped', () => {
  expect(progressFrom(JSON.parse(JSON.stringify(left)), 2)).toEqual(left);
});

test('progressFrom starts anew for another epoch: a new node counts from the beginning', () => {
  expect(progressFrom(left, 3)).toMatchObject({ epoch: 3, lastSeq: 0, turnCount: 0, signalledThrough: -1 });
});

test.each([undefined, null, 'x', {}, { epoch: 1, lastSeq: -1 }])('progressFrom starts anew from %p', (details) => {
  expect(progressFrom(details, 1)).toMatchObject({ epoch: 1, lastSeq: 0, answeredAt: null });
});

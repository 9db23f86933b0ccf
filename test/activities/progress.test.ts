import { expect, test } from '@jest/globals';
import { progressFrom, type Progress } from '../../src/activities/progress.ts';
import { mediaNodeOf } from '../support/media-node.ts';

const left: Progress = {
  node: mediaNodeOf('media-2'),
  epoch: 2,
  lastSeq: 41,
  state: 'speaking',
  answeredAt: '2026-11-21T10:00:00.000Z',
  turnCount: 9,
  signals: 1,
  signalledThrough: 4,
};

test('progressFrom goes on where the last heartbeat stopped, at the node that held the call then', () => {
  expect(progressFrom(JSON.parse(JSON.stringify(left)), { node: mediaNodeOf('media-1'), epoch: 1 })).toEqual(left);
});

test('progressFrom follows the workflow to a later node, which counts its events from the beginning', () => {
  const later = { node: mediaNodeOf('media-3'), epoch: 3 };
  expect(progressFrom(left, later)).toEqual({ ...left, ...later, lastSeq: 0 });
});

test.each([undefined, null, 'x', {}, { epoch: 1, lastSeq: -1 }])('progressFrom starts anew from %p', (details) => {
  expect(progressFrom(details, { node: mediaNodeOf('media-1'), epoch: 1 })).toMatchObject({ epoch: 1, lastSeq: 0, answeredAt: null });
});

import { expect, test } from '@jest/globals';
import { callOfMediaChannel, isMediaChannelId, newMediaChannelId } from '../../src/telephony/asterisk/ari-ids.ts';

const call = { callId: '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0001', epoch: 12 };

test('newMediaChannelId never gives the same id twice: the PBX would not survive it', () => {
  const ids = Array.from({ length: 100 }, () => newMediaChannelId(call));
  expect(new Set(ids).size).toBe(100);
  expect(ids.every(isMediaChannelId)).toBe(true);
});

test('callOfMediaChannel tells whose channel it is, and nothing of a caller', () => {
  expect(callOfMediaChannel(newMediaChannelId(call))).toEqual(call);
  expect(callOfMediaChannel('1795295880.7')).toBeNull();
});

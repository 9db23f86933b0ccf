import { decodeEvent, encodeCommand, encodeMark } from '../../../src/media/legs/asterisk-control.ts';

test.each([
  ['{"event":"MEDIA_START","format":"slin16","optimal_frame_size":640,"ptime":20}', { kind: 'start', format: 'slin16', frameBytes: 640 }],
  ['{"event":"MEDIA_MARK_PROCESSED","correlation_id":"0:u:m-1"}', { kind: 'mark', correlationId: '0:u:m-1' }],
  ['{"event":"MEDIA_XOFF"}', { kind: 'xoff' }],
  ['{"event":"MEDIA_XON"}', { kind: 'xon' }],
  ['{"event":"DTMF_END","digit":"#"}', { kind: 'dtmf', digit: '#' }],
  ['{"event":"ERROR","error_text":"no"}', { kind: 'error', reason: 'no' }],
  ['{"event":"QUEUE_DRAINED"}', undefined],
  ['{"event":"OF_NEXT_YEAR"}', undefined],
  ['MEDIA_START connection_id:1', undefined],
  ['null', undefined],
  ['"MEDIA_XOFF"', undefined],
])('decodeEvent: %s', (text, expected) => {
  expect(decodeEvent(text)).toEqual(expected);
});

test('encodeCommand: what the PBX reads', () => {
  expect(encodeCommand('FLUSH_MEDIA')).toBe('{"command":"FLUSH_MEDIA"}');
});

test('encodeMark: an id of 40 characters fits in any generation; what the PBX would drop silently is an error', () => {
  expect(encodeMark('0:u:a')).toBe('{"command":"MARK_MEDIA","correlation_id":"0:u:a"}');
  expect(Buffer.byteLength(encodeMark(`99999:u:${'x'.repeat(40)}`))).toBeLessThanOrEqual(128);
  expect(() => encodeMark('"'.repeat(50))).toThrow(expect.objectContaining({ code: 'limit_exceeded' }));
});

import { framesOf, fromBot, idsOf, mark, media, noiseFrames, start, stop } from './media-stream.ts';

const payload = (bytes: number): string => Buffer.alloc(bytes, 0xff).toString('base64');

describe('what the carrier sends', () => {
  test('numbers its messages in one row, and its frames in another', () => {
    const { streamSid } = idsOf(7);
    expect(JSON.parse(start(idsOf(7)))).toMatchObject({
      event: 'start',
      sequenceNumber: '1',
      streamSid: 'MZ00000000000000000000000000000007',
      start: { streamSid, callSid: 'CA00000000000000000000000000000007', mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000 } },
    });
    expect(JSON.parse(media({ streamSid, sequence: 9, chunk: 5, payload: 'AAAA' }))).toEqual({
      event: 'media',
      sequenceNumber: '9',
      streamSid,
      media: { track: 'inbound', chunk: '5', timestamp: '100', payload: 'AAAA' },
    });
    expect(JSON.parse(mark(streamSid, 10, '1:u:a'))).toEqual({ event: 'mark', sequenceNumber: '10', streamSid, mark: { name: '1:u:a' } });
    expect(JSON.parse(stop(idsOf(7), 11))).toMatchObject({ event: 'stop', sequenceNumber: '11', streamSid });
  });

  test('cuts speech into frames of 20 ms and leaves out the rest', () => {
    const frames = framesOf(Buffer.concat([Buffer.alloc(160, 1), Buffer.alloc(160, 2), Buffer.alloc(159, 3)]));
    expect(frames.map((frame) => [...new Set(Buffer.from(frame, 'base64'))])).toEqual([[1], [2]]);
  });

  test('is silent with the quietest of noises', () => {
    const frames = noiseFrames(3).map((frame) => Buffer.from(frame, 'base64'));
    expect(frames.map((frame) => frame.length)).toEqual([160, 160, 160]);
    expect(new Set(frames.flatMap((frame) => [...frame]))).toEqual(new Set([0xff, 0x7f, 0xfe, 0x7e]));
    expect(frames[0]).not.toEqual(frames[1]);
  });
});

describe('fromBot', () => {
  test.each([
    [`{"event":"media","streamSid":"MZ","media":{"payload":"${payload(160)}"}}`, 20],
    [`{"event": "media", "streamSid": "MZ", "media": {"payload": "${payload(320)}"}}`, 40],
    [`{"media":{"payload":"${payload(161)}"},"event":"media"}`, 20.125],
    [`{"event":"media","media":{"payload":""}}`, 0],
  ])('measures the audio in %.40s', (text, durationMs) => {
    expect(fromBot(Buffer.from(text))).toEqual({ kind: 'media', durationMs });
  });

  test('knows a clear and a mark', () => {
    expect(fromBot(Buffer.from('{"event": "clear", "streamSid": "MZ"}'))).toEqual({ kind: 'clear' });
    expect(fromBot(Buffer.from('{"event":"mark","streamSid":"MZ","mark":{"name":"3:u:1"}}'))).toEqual({ kind: 'mark', name: '3:u:1' });
  });

  test('ignores what is not measured', () => {
    expect(fromBot(Buffer.from('{"event":"other"}'))).toBeNull();
    expect(fromBot(Buffer.from('{"event":"media"}'))).toBeNull();
  });
});

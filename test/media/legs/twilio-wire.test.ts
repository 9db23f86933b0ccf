import fc from 'fast-check';
import {
  decodeTwilioMessage,
  encodeClear,
  encodeMark,
  encodeMedia,
  twilioWireLimits,
  wireFaults,
} from '../../../src/media/legs/twilio-wire.ts';

const audio = Buffer.alloc(twilioWireLimits.payloadBytes);
const decode = (message: unknown) =>
  decodeTwilioMessage(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)), audio);
const media = (fields: object) => decode({ event: 'media', sequenceNumber: '3', streamSid: 'MZ1', media: fields });

/** As in Twilio's documentation. */
const start = {
  event: 'start',
  sequenceNumber: '1',
  start: {
    accountSid: 'ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX',
    streamSid: 'MZXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX',
    callSid: 'CAXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX',
    tracks: ['inbound'],
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
    customParameters: { FirstName: 'Jane', LastName: 'Doe', RemoteParty: 'Bob' },
  },
  streamSid: 'MZXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX',
};

describe('decodeTwilioMessage', () => {
  test('reads the messages of Twilio’s documentation', () => {
    expect(decode({ event: 'connected', protocol: 'Call', version: '1.0.0' })).toEqual({ kind: 'connected' });
    expect(decode(start)).toEqual({
      kind: 'start',
      streamSid: start.streamSid,
      accountSid: start.start.accountSid,
      callSid: start.start.callSid,
      parameters: new Map(Object.entries(start.start.customParameters)),
    });
    const digit = { event: 'dtmf', streamSid: 'MZ1', sequenceNumber: '5', dtmf: { track: 'inbound_track', digit: '1' } };
    expect(decode(digit)).toEqual({ kind: 'dtmf', digit: '1' });
    expect(decode({ event: 'mark', sequenceNumber: '4', streamSid: 'MZ1', mark: { name: 'my label' } })).toEqual({
      kind: 'mark',
      name: 'my label',
    });
    expect(decode({ event: 'stop', sequenceNumber: '5', streamSid: 'MZ1', stop: { accountSid: 'AC1', callSid: 'CA1' } })).toEqual({
      kind: 'stop',
    });
  });

  test('takes the audio out of a media message, whatever its size', () => {
    // ff 7f 80 00: zero, minus zero, loudest, most negative
    expect(media({ track: 'inbound', chunk: '1', timestamp: '5', payload: '/3+AAA==' })).toEqual({ kind: 'media', bytes: 4 });
    expect([...audio.subarray(0, 4)]).toEqual([0xff, 0x7f, 0x80, 0x00]);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), (codes) => {
        const message = media({ track: 'inbound', payload: Buffer.from(codes).toString('base64') });
        expect(message).toEqual({ kind: 'media', bytes: codes.length });
        expect(audio.subarray(0, codes.length).equals(codes)).toBe(true);
      }),
    );
  });

  test('names what is wrong with a message', () => {
    expect(decode('{"event":"media"')).toEqual({ kind: 'fault', fault: 'not_json' });
    expect(decode('[]')).toEqual({ kind: 'fault', fault: 'not_an_event' });
    expect(decode(' '.repeat(twilioWireLimits.messageBytes + 1))).toEqual({ kind: 'fault', fault: 'too_large' });
    expect(media({ track: 'outbound', payload: '/w==' })).toEqual({ kind: 'fault', fault: 'track' });
    for (const payload of [undefined, 7, '', '/w=', '/w==/w==', '\u0000\u0001\u0002\u0003', '/w==\n\n\n\n', 'ö!§$'])
      expect(media({ track: 'inbound', payload })).toEqual({ kind: 'fault', fault: 'payload' });
    const long = Buffer.alloc(twilioWireLimits.payloadBytes + 1).toString('base64');
    expect(media({ track: 'inbound', payload: long })).toEqual({ kind: 'fault', fault: 'payload' });
    const wideband = { ...start.start, mediaFormat: { encoding: 'audio/l16', sampleRate: 16_000, channels: 1 } };
    expect(decode({ ...start, start: wideband })).toEqual({ kind: 'fault', fault: 'format' });
    const flood = Object.fromEntries(Array.from({ length: twilioWireLimits.customParameters + 1 }, (_, i) => [`p${i}`, '']));
    expect(decode({ ...start, start: { ...start.start, customParameters: flood } })).toEqual({ kind: 'fault', fault: 'fields' });
    expect(decode({ event: 'dtmf', dtmf: { digit: '12' } })).toEqual({ kind: 'fault', fault: 'fields' });
  });

  test('an event that is not known yet is none of our business', () => {
    expect(decode({ event: 'transcription', transcription: {} })).toEqual({ kind: 'unknown' });
  });

  test('no bytes and no JSON make it throw', () => {
    const event = fc.constantFrom('connected', 'start', 'media', 'dtmf', 'mark', 'stop', 'other');
    const shaped = fc.record({ event, start: fc.anything(), media: fc.anything(), mark: fc.anything(), dtmf: fc.anything() });
    const known = new Set<string>(wireFaults);
    const sane = (message: Buffer): void => {
      const decoded = decodeTwilioMessage(message, audio);
      if (decoded.kind === 'fault') expect(known).toContain(decoded.fault);
      if (decoded.kind === 'media') expect(decoded.bytes).toBeLessThanOrEqual(twilioWireLimits.payloadBytes);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => sane(Buffer.from(bytes))));
    fc.assert(fc.property(fc.json(), (json) => sane(Buffer.from(json))));
    fc.assert(fc.property(shaped, (message) => sane(Buffer.from(JSON.stringify(message)))));
    const payload = fc.oneof(fc.string({ maxLength: 60 }), fc.base64String({ maxLength: 60 }));
    fc.assert(
      fc.property(payload, (text) => sane(Buffer.from(JSON.stringify({ event: 'media', media: { track: 'inbound', payload: text } })))),
    );
  });
});

describe('what is sent to Twilio', () => {
  test('has the shapes of its documentation', () => {
    const json = (text: string): unknown => JSON.parse(text);
    expect(json(encodeMedia('MZ1', Buffer.from([0xff, 0x7f])))).toEqual({ event: 'media', streamSid: 'MZ1', media: { payload: '/38=' } });
    expect(json(encodeMark('MZ1', '0:u:"1"'))).toEqual({ event: 'mark', streamSid: 'MZ1', mark: { name: '0:u:"1"' } });
    expect(json(encodeClear('MZ1'))).toEqual({ event: 'clear', streamSid: 'MZ1' });
  });
});

import fc from 'fast-check';
import twilio from 'twilio';
import { isSignedByTwilio, twilioSignature } from '../../src/lib/twilio-signature.ts';

const TOKEN = '12345';

describe('twilioSignature', () => {
  test('is that of Twilio’s worked example', () => {
    const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
    const fields = { CallSid: 'CA1234567890ABCDE', Caller: '+14158675309', Digits: '1234', From: '+14158675309', To: '+18005551212' };
    // The worked example that the vendor's SDKs carry in their own tests.
    expect(twilioSignature(TOKEN, url, new URLSearchParams(fields))).toBe('RSOYDt4T1cUTdK1PDd93/VVr8B8=');
  });

  test('agrees with Twilio’s own SDK, whatever the fields', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const fields = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 10 }),
      fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
    );
    fc.assert(
      fc.property(fields, fc.webUrl({ withQueryParameters: true }), (form, url) => {
        const entries = Object.entries(form).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each]));
        const given = Object.fromEntries(Object.entries(form).map(([name, value]) => [name, value]));
        expect(twilioSignature(TOKEN, url, new URLSearchParams(entries))).toBe(twilio.getExpectedTwilioSignature(TOKEN, url, given));
      }),
    );
  });
});

describe('isSignedByTwilio', () => {
  const fields = new URLSearchParams({ CallSid: 'CA1', CallerName: '' });
  const sign = (url: string) => twilio.getExpectedTwilioSignature(TOKEN, url, Object.fromEntries(fields));
  const url = 'https://calls.example.com/webhooks/twilio/voice?after=1&tries=0';

  test('takes what Twilio signs, with the usual port or without', () => {
    expect(isSignedByTwilio(TOKEN, { url, fields, signature: sign(url) })).toBe(true);
    const ported = url.replace('.com/', '.com:443/');
    expect(isSignedByTwilio(TOKEN, { url, fields, signature: sign(ported) })).toBe(true);
    const stream = 'wss://media-1.example.com/0f';
    expect(isSignedByTwilio(TOKEN, { url: stream, signature: twilio.getExpectedTwilioSignature(TOKEN, stream, {}) })).toBe(true);
  });

  test('takes nothing else: another token, URL, query or field, no signature, no token', () => {
    const signature = sign(url);
    expect(isSignedByTwilio('54321', { url, fields, signature })).toBe(false);
    expect(isSignedByTwilio(TOKEN, { url: url.replace('after=1', 'after=2'), fields, signature })).toBe(false);
    expect(isSignedByTwilio(TOKEN, { url: url.replace('calls', 'call'), fields, signature })).toBe(false);
    expect(isSignedByTwilio(TOKEN, { url, fields: new URLSearchParams({ CallSid: 'CA2', CallerName: '' }), signature })).toBe(false);
    expect(isSignedByTwilio(TOKEN, { url, signature })).toBe(false);
    for (const none of [undefined, '', signature.slice(1), `${signature} `])
      expect(isSignedByTwilio(TOKEN, { url, fields, signature: none })).toBe(false);
    expect(isSignedByTwilio('', { url, fields, signature: twilio.getExpectedTwilioSignature('', url, Object.fromEntries(fields)) })).toBe(
      false,
    );
  });
});

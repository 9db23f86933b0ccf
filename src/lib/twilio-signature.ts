/**
 * X-Twilio-Signature: base64 of HMAC-SHA1, keyed with the account's auth token, of the URL as Twilio
 * knows it and of the form's fields by name: `{url}{name}{value}{name}{value}…`. A field that comes
 * several times counts each of its values once, in order. A media stream has no fields.
 */
import { createHmac } from 'node:crypto';
import { secretsEqual } from './digests.ts';

export interface SignedRequest {
  /** Public, with its query, and without a port unless it is an unusual one. */
  readonly url: string;
  readonly fields?: URLSearchParams;
  /** As it came. */
  readonly signature: string | undefined;
}

export function twilioSignature(authToken: string, url: string, fields: URLSearchParams = new URLSearchParams()): string {
  const names = [...new Set(fields.keys())].sort();
  const text = names.flatMap((name) => [...new Set(fields.getAll(name))].sort().map((value) => name + value)).join('');
  return createHmac('sha1', authToken)
    .update(url + text, 'utf8')
    .digest('base64');
}

/** Twilio signs a URL with its port or without, whatever it was told; both are compared, each in constant time. */
export function isSignedByTwilio(authToken: string, { url, fields, signature = '' }: SignedRequest): boolean {
  const fits = [url, withPort(url)].map((each) => secretsEqual(signature, twilioSignature(authToken, each, fields)));
  return authToken !== '' && fits.includes(true);
}

const PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'wss:': '443', 'http:': '80', 'ws:': '80' };

/** Not by way of URL, which would write some characters in another way than they were signed. */
function withPort(url: string): string {
  const [, scheme = '', authority = '', rest = ''] = /^([a-z]+:)\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  return scheme === '' || /:\d+$/.test(authority) ? url : `${scheme}//${authority}:${PORTS[scheme.toLowerCase()] ?? ''}${rest}`;
}

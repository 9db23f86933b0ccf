/**
 * A call at Twilio: fetches TwiML from the webhook, does what it says one verb after another, and lets
 * the REST API lead it elsewhere. The signatures are those of Twilio's own SDK.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import twilio from 'twilio';
import { ACCOUNT_SID, FakeTwilioStream } from './fake-twilio.ts';

export interface FakeTwilioOptions {
  /** Where the API listens. */
  readonly apiUrl: string;
  /** What Twilio was told; it is this that gets signed. */
  readonly publicUrl: string;
  readonly authToken: string;
}

type Verb =
  | { readonly verb: 'Stream'; readonly url: string; readonly parameters: Record<string, string> }
  | { readonly verb: 'Redirect'; readonly url: string }
  | { readonly verb: 'Say'; readonly text: string }
  | { readonly verb: 'Reject'; readonly reason: string }
  | { readonly verb: 'Hangup' };

export class FakeTwilioCall implements AsyncDisposable {
  readonly callSid = `CA${crypto.randomUUID().replaceAll('-', '')}`;
  /** Everything Twilio did, in order: `Stream ws://…`, `Redirect ?after=1&tries=0`, `Hangup`. */
  readonly did: string[] = [];
  readonly streams: FakeTwilioStream[] = [];
  readonly over: Promise<void>;
  readonly #over = Promise.withResolvers<void>();
  readonly #options: FakeTwilioOptions;
  readonly #to: string;
  #generation = 0;
  #ended = false;

  constructor(options: FakeTwilioOptions, to: string) {
    this.#options = options;
    this.#to = to;
    this.over = this.#over.promise;
    void this.follow(`${options.publicUrl}/webhooks/twilio/voice`);
  }

  get stream(): FakeTwilioStream | undefined {
    return this.streams.at(-1);
  }

  /** Everything the caller has heard, over one stream after another. */
  heard(): Int16Array {
    return Int16Array.from(this.streams.flatMap((stream) => [...stream.heard()]));
  }

  /** New instructions from here on; what the call was doing is stopped. */
  async follow(url: string): Promise<void> {
    const generation = ++this.#generation;
    const live = this.stream;
    await live?.hangUp();
    for (let next: string | null = url; next !== null && generation === this.#generation && !this.#ended;)
      next = await this.#page(next, generation);
  }

  async hangUp(): Promise<void> {
    this.#end();
    await this.stream?.hangUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    for (const stream of this.streams) await stream[Symbol.asyncDispose]();
  }

  #end(): void {
    this.#ended = true;
    this.#over.resolve();
  }

  async #page(url: string, generation: number): Promise<string | null> {
    for (const verb of await this.#fetch(url)) {
      if (generation !== this.#generation || this.#ended) return null;
      if (verb.verb === 'Redirect') {
        this.did.push(`Redirect ${new URL(verb.url).search}`);
        return verb.url;
      }
      this.did.push(
        'url' in verb
          ? `Stream ${verb.url}`
          : 'text' in verb
            ? `Say ${verb.text}`
            : verb.verb === 'Reject'
              ? `Reject ${verb.reason}`
              : 'Hangup',
      );
      if (verb.verb !== 'Stream') continue;
      const { authToken } = this.#options;
      const dialled = FakeTwilioStream.dial(verb.url, { authToken, callSid: this.callSid, parameters: verb.parameters });
      const stream = await dialled.catch(() => null);
      if (stream === null) this.did.push('Stream refused');
      else this.streams.push(stream);
      await stream?.closed;
    }
    if (generation === this.#generation) this.#end();
    return null;
  }

  async #fetch(url: string): Promise<Verb[]> {
    const fields = {
      CallSid: this.callSid,
      AccountSid: ACCOUNT_SID,
      From: '+12025550199',
      To: this.#to,
      Direction: 'inbound',
      CallerName: '',
    };
    const { apiUrl, publicUrl, authToken } = this.#options;
    const signature = twilio.getExpectedTwilioSignature(authToken, url, fields);
    const response = await fetch(url.replace(publicUrl, apiUrl), {
      method: 'POST',
      headers: { 'x-twilio-signature': signature },
      body: new URLSearchParams(fields),
    });
    if (!response.ok) throw new Error(`Twilio would say "an application error has occurred": ${response.status} ${await response.text()}`);
    return verbsOf(await response.text());
  }
}

const unescaped = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&');

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescaped(value)]));
}

export function verbsOf(twiml: string): Verb[] {
  return [...twiml.matchAll(/<(Stream|Redirect|Say|Reject|Hangup)\b([^>]*?)(?:\/>|>(.*?)<\/\1>)/g)].map(
    ([, verb, text = '', inner = '']): Verb => {
      const attributes = attributesOf(text);
      if (verb === 'Redirect') return { verb, url: unescaped(inner) };
      if (verb === 'Say') return { verb, text: unescaped(inner) };
      if (verb === 'Reject') return { verb, reason: attributes['reason'] ?? '' };
      if (verb === 'Hangup') return { verb };
      const parameters = [...inner.matchAll(/<Parameter ([^>]*)\/>/g)].map(([, each = '']) => attributesOf(each));
      return {
        verb: 'Stream',
        url: attributes['url'] ?? '',
        parameters: Object.fromEntries(parameters.map(({ name = '', value = '' }) => [name, value])),
      };
    },
  );
}

/** POST /2010-04-01/Accounts/{sid}/Calls/{sid}.json, for the calls that are put into `calls`. */
export interface FakeTwilioRest extends AsyncDisposable {
  readonly url: string;
  readonly calls: Map<string, FakeTwilioCall>;
  readonly refused: string[];
}

export async function startFakeTwilioRest(authToken: string): Promise<FakeTwilioRest> {
  const calls = new Map<string, FakeTwilioCall>();
  const refused: string[] = [];
  const authorization = `Basic ${Buffer.from(`${ACCOUNT_SID}:${authToken}`).toString('base64')}`;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const sid = new RegExp(`^/2010-04-01/Accounts/${ACCOUNT_SID}/Calls/(CA\\w{32})\\.json$`).exec(request.url ?? '')?.[1];
    const fields = new URLSearchParams(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString('utf8'));
    const call = calls.get(sid ?? '');
    const url = fields.get('Url');
    if (call === undefined || url === null || request.headers.authorization !== authorization) {
      refused.push(`${request.method} ${request.url}`);
      return void response.writeHead(404).end('{}');
    }
    call.did.push(`REST ${new URL(url).search}`);
    void call.follow(url);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ sid, status: 'in-progress' }));
  };
  const server: Server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    refused,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

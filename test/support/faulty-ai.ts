/**
 * An AI provider that fails on command: a reverse proxy in front of a real OpenAI-shaped server.
 * Until told otherwise it passes everything through, byte by byte as it comes.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';

export type AiEndpoint = 'stt' | 'llm' | 'tts';

export type Fault =
  | 'pass'
  | 'error_500'
  | 'error_429'
  | 'error_400'
  /** Accepts the request and never answers. */
  | 'hang'
  /** Resets the connection before any answer. */
  | 'reset'
  /** Sends about half of the answer, then cuts the connection. */
  | 'cut'
  /** Sends about half of the answer, then ends it as if that were all. */
  | 'short'
  /** Sends about half of the answer, then nothing more, with the connection open. */
  | 'stall'
  /** Answers 200 with something that is no answer. */
  | 'garbage'
  /** Answers as it should, but begins only after `slowMs`. */
  | 'slow'
  /** Understands nothing: an empty transcript, an answer without words. */
  | 'deaf';

export interface AiRequest {
  readonly endpoint: AiEndpoint;
  /** JSON, or multipart with its text fields readable. */
  readonly body: string;
}

export interface FaultyAiOptions {
  /** Base URL of the real one, ending in /v1. */
  readonly upstream: string;
  readonly port?: number;
  /** Says by its content what happens to a request; null leaves it to what was set. */
  readonly decide?: (request: AiRequest) => Fault | null;
  /** Default: 3000. */
  readonly slowMs?: number;
}

export interface FaultyAi extends AsyncDisposable {
  /** As OPENAI_BASE_URL wants it. */
  readonly baseUrl: string;
  /** From now on, or for the next `times` requests only. */
  set(endpoint: AiEndpoint, fault: Fault, options?: { readonly times?: number }): void;
  /** Requests seen so far. */
  calls(endpoint: AiEndpoint): number;
  /** How often a fault has struck. */
  struck(endpoint: AiEndpoint, fault: Fault): number;
  /** Requests of which the client has closed the connection before the answer was complete. */
  abandoned(endpoint: AiEndpoint): number;
  stop(): Promise<void>;
}

const endpoints: Readonly<Record<string, AiEndpoint>> = {
  '/audio/transcriptions': 'stt',
  '/chat/completions': 'llm',
  '/audio/speech': 'tts',
};

interface Plan {
  fault: Fault;
  left: number;
  calls: number;
  abandoned: number;
}

export async function startFaultyAi(options: FaultyAiOptions): Promise<FaultyAi> {
  const fresh = (): Plan => ({ fault: 'pass', left: Number.POSITIVE_INFINITY, calls: 0, abandoned: 0 });
  const plans: Record<AiEndpoint, Plan> = { stt: fresh(), llm: fresh(), tts: fresh() };
  const struck = new Map<string, number>();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const exchange = { request, response, upstream: options.upstream, slowMs: options.slowMs ?? 3_000 };
    const endpoint = Object.entries(endpoints).find(([path]) => request.url?.endsWith(path))?.[1];
    if (endpoint === undefined) return relay(exchange, 'pass');
    const body = options.decide === undefined ? undefined : await wholeBody(request);
    const decided = body === undefined ? null : (options.decide?.({ endpoint, body: body.toString('latin1') }) ?? null);
    const plan = plans[endpoint];
    plan.calls += 1;
    const fault = decided ?? (plan.left > 0 ? plan.fault : 'pass');
    plan.left -= 1;
    struck.set(`${endpoint} ${fault}`, (struck.get(`${endpoint} ${fault}`) ?? 0) + 1);
    response.once('close', () => {
      if (!response.writableFinished && fault !== 'cut' && fault !== 'reset') plan.abandoned += 1;
    });
    return misbehave(body === undefined ? exchange : { ...exchange, body }, fault);
  };
  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    baseUrl: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/v1`,
    set(endpoint, fault, { times = Number.POSITIVE_INFINITY } = {}) {
      Object.assign(plans[endpoint], { fault, left: times });
    },
    calls: (endpoint) => plans[endpoint].calls,
    struck: (endpoint, fault) => struck.get(`${endpoint} ${fault}`) ?? 0,
    abandoned: (endpoint) => plans[endpoint].abandoned,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upstream: string;
  readonly slowMs: number;
  /** Read already, to decide by it. */
  readonly body?: Buffer;
}

async function wholeBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const errors = {
  error_400: {
    status: 400,
    error: { message: 'Invalid value: the words of the caller', type: 'invalid_request_error', param: null, code: 'invalid_value' },
  },
  error_429: { status: 429, error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' } },
  error_500: {
    status: 500,
    error: { message: 'The server had an error while processing your request', type: 'server_error', param: null, code: null },
  },
} as const;

async function misbehave(exchange: Exchange, fault: Fault): Promise<void> {
  const { request, response } = exchange;
  if (fault === 'reset') return void request.socket.resetAndDestroy();
  if (fault === 'slow') {
    // The request waits in its socket meanwhile.
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, exchange.slowMs);
      response.once('close', () => (clearTimeout(timer), resolve()));
    });
    return response.destroyed ? undefined : relay(exchange, 'pass');
  }
  if (fault === 'pass' || fault === 'cut' || fault === 'short' || fault === 'stall') return relay(exchange, fault);
  // What follows answers by itself; the body still has to be read for the connection to go on.
  request.resume();
  if (fault === 'hang') return;
  if (fault === 'garbage') {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<html><body>upstream gateway says hello</body></html>');
    return;
  }
  if (fault === 'deaf') return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":""}');
  const { status, error } = errors[fault];
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 429 ? { 'retry-after': '1' } : {}) });
  response.end(JSON.stringify({ error }));
}

/** For the faults that cut, the whole answer is fetched first, because half of it can only be known then. */
async function relay({ request, response, upstream, body }: Exchange, fault: 'pass' | 'cut' | 'short' | 'stall'): Promise<void> {
  const url = new URL(upstream);
  const path = (request.url ?? '/').replace(/^\/v1/, url.pathname.replace(/\/$/, ''));
  const headers = { ...request.headers, host: url.host };
  const forward = httpRequest({ host: url.hostname, port: url.port, path, method: request.method, headers }, (answer) => {
    const { 'transfer-encoding': _, connection: __, 'keep-alive': ___, ...kept } = answer.headers;
    if (fault === 'pass') {
      response.writeHead(answer.statusCode ?? 502, kept);
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    } else void half({ answer, response, headers: kept }, fault).catch(() => response.destroy());
  });
  forward.on('error', () => response.destroy());
  response.once('close', () => forward.destroy());
  if (body === undefined) request.pipe(forward);
  else forward.end(body);
}

async function half(
  exchange: { answer: IncomingMessage; response: ServerResponse; headers: IncomingMessage['headers'] },
  fault: 'cut' | 'short' | 'stall',
): Promise<void> {
  const { answer, response, headers } = exchange;
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const sent = halfOf(body, headers['content-type'] ?? '');
  // "short" must look complete: without the real length. "cut" keeps it, where there was one.
  const { 'content-length': length, ...rest } = headers;
  response.writeHead(answer.statusCode ?? 502, fault === 'short' || length === undefined ? rest : headers);
  response.write(sent);
  if (fault === 'short') response.end();
  if (fault === 'cut') setTimeout(() => response.destroy(), 20);
}

/** Odd on purpose for audio: half of a sample is what a broken stream ends with. Events are kept whole. */
function halfOf(body: Buffer, contentType: string): Buffer {
  const middle = Math.floor(body.length / 2);
  if (!contentType.startsWith('text/event-stream')) return body.subarray(0, middle % 2 === 0 ? middle + 1 : middle);
  const end = body.indexOf('\n\n', middle);
  return body.subarray(0, end + 2);
}

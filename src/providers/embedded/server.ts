/**
 * The embedded AI server: OpenAI's wire format on loopback, served by parts that run on this
 * machine: pocketsphinx hears, flite speaks, a rule-based receptionist answers. See README.md.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ApiError } from './api-error.ts';
import { chatCompletions } from './chat-completions.ts';
import { sendJson, type Endpoint } from './http.ts';
import { listModels, oneModel } from './models.ts';
import type { Recognizer } from './recognition/recognizer.ts';
import { createSpeech } from './speech.ts';
import type { Voices } from './speech/flite.ts';
import { createTranscription } from './transcriptions.ts';

export interface EmbeddedServerOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** When given, requests must carry it as bearer token. */
  readonly apiKey?: string | undefined;
  readonly recognizer: Recognizer;
  readonly voices: Voices;
  /** Pause between tokens of a streamed completion. */
  readonly tokenDelayMs?: number;
  readonly now?: () => Date;
}

export interface EmbeddedServer extends AsyncDisposable {
  /** As OPENAI_BASE_URL wants it, ending in /v1. */
  readonly baseUrl: string;
  readonly port: number;
}

/** More than a hundred calls can ask for at once. */
const MAX_CONNECTIONS = 1_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than any client keeps an idle connection, so that the client is the one who closes. */
const KEEP_ALIVE_MS = 120_000;

/** Owns the port; the recogniser and the voices belong to the caller. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const endpoints = new Map<string, Endpoint>([
    ['GET /healthz', async ({ response }) => sendJson(response, 200, { status: 'ok', recognizer: options.recognizer.load })],
    ['GET /v1/models', async ({ response }) => sendJson(response, 200, listModels())],
    ['POST /v1/audio/transcriptions', createTranscription(options.recognizer)],
    ['POST /v1/audio/speech', createSpeech(options.voices)],
    ['POST /v1/chat/completions', chatCompletions({ tokenDelayMs: options.tokenDelayMs ?? 5, now: options.now ?? (() => new Date()) })],
  ]);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void answer({ request, response, endpoints, apiKey: options.apiKey });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, options);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    port,
    baseUrl: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}/v1`,
    [Symbol.asyncDispose]: () => close(server),
  };
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly apiKey: string | undefined;
}

async function answer({ request, response, endpoints, apiKey }: Call): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('The client has gone'));
  });
  response.setHeader('x-request-id', `req_${crypto.randomUUID().replaceAll('-', '')}`);
  try {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (apiKey !== undefined && path !== '/healthz') authorize(request, apiKey);
    const method = request.method ?? 'GET';
    const endpoint = endpoints.get(`${method} ${path}`);
    if (endpoint !== undefined) return await endpoint({ request, response, signal: gone.signal });
    if (method === 'GET' && path.startsWith('/v1/models/')) return sendJson(response, 200, oneModel(path.slice('/v1/models/'.length)));
    throw new ApiError(404, `Invalid URL (${method} ${path.slice(0, 200)})`);
  } catch (error) {
    refuse(response, error, gone.signal);
  }
}

function refuse(response: ServerResponse, error: unknown, gone: AbortSignal): void {
  if (gone.aborted) return;
  // Half an answer is on the wire: only cutting it tells the client that it is not whole.
  if (response.headersSent) return void response.destroy();
  const known = error instanceof ApiError ? error : new ApiError(500, 'The server had an error while processing your request.');
  if (!(error instanceof ApiError)) process.stderr.write(`embedded-ai: ${error instanceof Error ? error.stack : String(error)}\n`);
  response.setHeader('connection', 'close');
  sendJson(response, known.status, known.body);
}

function authorize(request: IncomingMessage, apiKey: string): void {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) throw new ApiError(401, "You didn't provide an API key.");
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(given), digest(apiKey))) throw new ApiError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

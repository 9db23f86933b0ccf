/** The one place that owns HTTP connections to an OpenAI-shaped service. */
import OpenAI from 'openai';
import { Agent, fetch as undiciFetch, type RequestInit as UndiciRequestInit } from 'undici';

export interface OpenAIOptions {
  readonly apiKey: string;
  readonly baseUrl: string;
}

export interface OpenAIClient extends AsyncDisposable {
  readonly api: OpenAI;
}

/** Speech, transcription and completion of every live call at once, with room to spare. */
const MAX_CONNECTIONS = 512;
const CONNECT_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 30_000;
/** Deadlines belong to the caller's AbortSignal; this is only the net below it. */
const LAST_RESORT_TIMEOUT_MS = 120_000;

export function createOpenAIClient(options: OpenAIOptions): OpenAIClient {
  const agent = new Agent({
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    headersTimeout: LAST_RESORT_TIMEOUT_MS,
    bodyTimeout: LAST_RESORT_TIMEOUT_MS,
  });
  const api = new OpenAI({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    // Retrying is decided per turn of talk, where the deadline is known; twice would multiply.
    maxRetries: 0,
    timeout: LAST_RESORT_TIMEOUT_MS,
    // The SDK would print what it cannot parse; replies may hold the caller's words.
    logLevel: 'off',
    fetch: pooledFetch(agent),
  });
  return { api, [Symbol.asyncDispose]: () => agent.destroy() };
}

/**
 * fetch over our own pool. Node's fetch does not take an Agent of a newer undici than its own, and
 * undici's fetch does not know Node's FormData: so it is encoded first, in memory (one utterance).
 */
function pooledFetch(dispatcher: Agent): typeof fetch {
  const pooled: typeof fetch = async (input, init = {}) => {
    const headers = new Headers(init.headers);
    let body = init.body;
    if (body instanceof FormData) {
      const encoded = new Response(body);
      headers.set('content-type', encoded.headers.get('content-type') ?? 'multipart/form-data');
      body = await encoded.arrayBuffer();
    }
    const request = { ...init, headers: [...headers], body, dispatcher } as UndiciRequestInit;
    return undiciFetch(input instanceof Request ? input.url : input, request);
  };
  // The SDK asks this class whether file uploads work.
  return Object.assign(pooled, { Response });
}

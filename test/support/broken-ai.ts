/** A proxy in front of the embedded AI that breaks chosen requests: answers 500, never answers, or streams half and stops. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export const faults = ['status_500', 'hangs', 'stops_halfway'] as const;
export type Fault = (typeof faults)[number];

export interface AiRequest {
  readonly stage: 'stt' | 'llm' | 'tts';
  /** The body as text: JSON, or multipart with its fields readable. */
  readonly body: string;
}

export interface BrokenAi extends AsyncDisposable {
  /** For OPENAI_BASE_URL, with /v1. */
  readonly baseUrl: string;
  /** How many requests were broken, by stage and fault. */
  readonly broken: ReadonlyMap<string, number>;
}

/** What still gets through of a reply that stops halfway: enough to be taken for the beginning of a good one. */
const HALF_BYTES = { stt: 6, llm: 500, tts: 19_200 } as const;

/** `decide` says what happens to a request; null lets it pass. */
export async function startBrokenAi(target: { readonly baseUrl: string }, decide: (request: AiRequest) => Fault | null): Promise<BrokenAi> {
  const broken = new Map<string, number>();
  const server = createServer((incoming, response) => void handle(incoming, response).catch(() => response.destroy()));

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const path = (incoming.url ?? '').replace(/^\/v1/, '');
    const stage = stageOf(path);
    const fault = stage === null ? null : decide({ stage, body: body.toString('latin1') });
    if (stage !== null && fault !== null) broken.set(`${stage} ${fault}`, (broken.get(`${stage} ${fault}`) ?? 0) + 1);
    if (fault === 'hangs') return;
    if (fault === 'status_500') {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"out of order","type":"server_error"}}');
      return;
    }
    const headers = { 'content-type': incoming.headers['content-type'] ?? '', authorization: incoming.headers.authorization ?? '' };
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await fetch(`${target.baseUrl}${path}`, {
      method: incoming.method ?? 'GET',
      headers,
      signal: gone.signal,
      ...(body.length === 0 ? {} : { body }),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/octet-stream' });
    let left = fault === 'stops_halfway' && stage !== null ? HALF_BYTES[stage] : Number.POSITIVE_INFINITY;
    for await (const chunk of answer.body ?? []) {
      response.write(chunk.subarray(0, Math.min(left, chunk.length)));
      left -= chunk.length;
      // After the bytes have left: a connection that breaks off in the middle, as the network does it.
      if (left <= 0) return void setTimeout(() => response.destroy(), 20);
    }
    response.end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    broken,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function stageOf(path: string): AiRequest['stage'] | null {
  if (path.startsWith('/audio/transcriptions')) return 'stt';
  if (path.startsWith('/chat/completions')) return 'llm';
  return path.startsWith('/audio/speech') ? 'tts' : null;
}

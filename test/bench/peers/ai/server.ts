/**
 * A fake AI service with fixed latencies: OpenAI's wire format on loopback. It is a ruler, so it counts
 * what it was asked for and tells how exactly it kept its own times.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { figuresOf, type Figures } from '../figures.ts';
import { complete, speak, transcribe } from './endpoints.ts';
import { Exchange } from './exchange.ts';

export interface AiStats {
  readonly requests: Readonly<Record<AiStage, number>>;
  /** Requests whose client left before the answer was complete. */
  readonly abandoned: Readonly<Record<AiStage, number>>;
  /** First bytes, against the script; null before the first answer. */
  readonly lateMs: Figures | null;
}

export type AiStage = 'stt' | 'llm' | 'tts';

export interface FakeAi extends AsyncDisposable {
  /** As OPENAI_BASE_URL wants it. */
  readonly baseUrl: string;
}

const stages: Readonly<Record<string, { readonly stage: AiStage; readonly answer: (exchange: Exchange) => Promise<void> }>> = {
  'POST /v1/audio/transcriptions': { stage: 'stt', answer: transcribe },
  'POST /v1/chat/completions': { stage: 'llm', answer: complete },
  'POST /v1/audio/speech': { stage: 'tts', answer: speak },
};

/** @param port 0 for any. */
export async function startFakeAi(port: number): Promise<FakeAi> {
  const requests = { stt: 0, llm: 0, tts: 0 };
  const abandoned = { stt: 0, llm: 0, tts: 0 };
  const late: number[] = [];
  const stats = (): AiStats => ({ requests, abandoned, lateMs: figuresOf(late) });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${request.method} ${request.url}`;
    if (route === 'GET /stats') return void response.end(JSON.stringify(stats()));
    if (route === 'GET /v1/models') return void response.end('{"object":"list","data":[{"id":"fake","object":"model"}]}');
    const known = stages[route];
    if (known === undefined) return void response.writeHead(404).end();
    requests[known.stage]++;
    const exchange = new Exchange(request, response, (lateMs) => late.push(lateMs));
    await known.answer(exchange);
    if (exchange.abandoned) abandoned[known.stage]++;
  };
  const server = createServer((request, response) => {
    // The client may leave in the middle of its own upload, or send what is no JSON.
    handle(request, response).catch(() => response.destroy());
  });
  // Connections stay open, as a vendor keeps them between the turns of a call.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { baseUrl: `http://127.0.0.1:${portOf(server)}/v1`, [Symbol.asyncDispose]: () => close(server) };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** What every endpoint needs of HTTP: bounded bodies, JSON, and one signal for "the client is gone". */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { z } from 'zod';
import { ApiError } from './api-error.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Fires when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
}

export type Endpoint = (exchange: Exchange) => Promise<void>;

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

/** @throws ApiError 400 for what is not JSON or does not fit the schema, 413 for too much of it. */
export async function readJson<T extends z.ZodType>(request: IncomingMessage, schema: T, maxBytes: number): Promise<z.output<T>> {
  const chunks: Buffer[] = [];
  for await (const chunk of bounded(request, maxBytes)) chunks.push(chunk);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new ApiError(400, 'We could not parse the JSON body of your request.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const param = issue?.path.join('.') ?? '';
  throw new ApiError(400, `Invalid value for '${param}': ${issue?.message ?? 'not valid'}`, { param });
}

/** Node parses multipart/form-data itself. @throws ApiError 400 or 413. */
export async function readForm(request: IncomingMessage, maxBytes: number): Promise<FormData> {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) throw new ApiError(400, "Content-Type must be 'multipart/form-data'.");
  const body = Readable.toWeb(Readable.from(bounded(request, maxBytes))) as ReadableStream<Uint8Array>;
  try {
    return await new Response(body, { headers: { 'content-type': type } }).formData();
  } catch (error) {
    // The parser wraps what its source throws.
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (cause instanceof ApiError) throw cause;
    throw new ApiError(400, 'Could not parse multipart form');
  }
}

async function* bounded(request: IncomingMessage, maxBytes: number): AsyncGenerator<Buffer> {
  const tooLarge = () => new ApiError(413, `Maximum content size limit (${maxBytes} bytes) exceeded.`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    yield chunk;
  }
}

/** Waits until the client has room again, or is gone. */
export async function write({ response, signal }: Exchange, bytes: string | Uint8Array): Promise<void> {
  signal.throwIfAborted();
  if (response.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
  signal.throwIfAborted();
}

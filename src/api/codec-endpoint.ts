/**
 * Shows the operators' browser what Temporal stores sealed. Whoever may ask may read every call, so
 * each request needs the token, and one from a browser an origin that is expected.
 */
import type { Express, Request, RequestHandler } from 'express';
import { CODEC_PATHS, codecBody, codecParams, type JsonPayload } from '../contracts/payload-codec.ts';
import { HoldfastError } from '../domain/errors.ts';
import { secretsEqual } from '../lib/digests.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import { jsonBody } from './mount-routes.ts';
import { invalidRequest } from './problem.ts';

export interface BinaryPayload {
  metadata?: Record<string, Uint8Array> | null;
  data?: Uint8Array | null;
}

export interface CodecDeps {
  /** Empty: there is no endpoint. */
  readonly token: string;
  /** Of the Temporal UI, e.g. http://127.0.0.1:8233. */
  readonly origins: readonly string[];
  readonly namespace: string;
  readonly codec: {
    encode(payloads: BinaryPayload[]): Promise<BinaryPayload[]>;
    decode(payloads: BinaryPayload[]): Promise<BinaryPayload[]>;
  };
  readonly bodyLimitBytes: number;
}

const PREFLIGHT_SECONDS = '600';

export function mountCodecEndpoint(app: Express, deps: CodecDeps & { readonly logger: Logger }): void {
  if (deps.token === '') return;
  const checkToken: RequestHandler = (request, _response, next) => {
    if (!secretsEqual(tokenOf(request), deps.token)) throw new HoldfastError('unauthorized', 'The token is missing or wrong');
    next();
  };
  const answer: RequestHandler = async (request, response) => {
    response.json({ payloads: await run(deps, request) });
  };
  const checkOrigin = allowOrigin(deps.origins);
  for (const path of CODEC_PATHS) {
    app.options(path, checkOrigin, answerPreflight);
    app.post(path, [checkOrigin, checkToken, jsonBody(deps.bodyLimitBytes), answer]);
  }
}

const answerPreflight: RequestHandler = (_request, response) => {
  response.set({
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type, x-namespace',
    'access-control-max-age': PREFLIGHT_SECONDS,
  });
  response.status(204).end();
};

/** Without an origin it is a program, not a web page: the token alone decides. */
function allowOrigin(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    const { origin } = request.headers;
    response.set('vary', 'origin');
    if (origin !== undefined) {
      if (!origins.includes(origin)) throw new HoldfastError('forbidden_address', 'This web page may not read calls');
      response.set({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'cross-origin-resource-policy': 'cross-origin',
      });
    }
    next();
  };
}

function tokenOf(request: Request): string {
  const inPath: unknown = request.params['token'];
  if (typeof inPath === 'string') return inPath;
  return /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

async function run({ codec, namespace, logger }: CodecDeps & { readonly logger: Logger }, request: Request): Promise<JsonPayload[]> {
  const params = codecParams.safeParse(request.params);
  if (!params.success || params.data.namespace !== namespace) throw new HoldfastError('not_found', 'No such namespace or operation');
  const body = codecBody.safeParse(request.body);
  if (!body.success) throw invalidRequest(body.error);
  const payloads = body.data.payloads.map(fromJson);
  if (params.data.operation === 'encode') return (await codec.encode(payloads)).map(toJson);
  const decodeOne = async (payload: BinaryPayload): Promise<BinaryPayload> => {
    try {
      return (await codec.decode([payload]))[0] ?? payload;
    } catch (error) {
      // One that cannot be opened stays as it is: the others are to be read all the same.
      logger.warn({ event: 'payload_unreadable', error: errorFacts(error) }, 'A Temporal payload could not be opened');
      return payload;
    }
  };
  return (await Promise.all(payloads.map(decodeOne))).map(toJson);
}

function fromJson({ metadata, data }: JsonPayload): BinaryPayload {
  const fields = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')]);
  return { metadata: Object.fromEntries(fields) as Record<string, Uint8Array>, data: Buffer.from(data ?? '', 'base64') };
}

function toJson({ metadata, data }: BinaryPayload): JsonPayload {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const fields = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]);
  return { metadata: Object.fromEntries(fields) as Record<string, string>, data: base64(data ?? new Uint8Array()) };
}

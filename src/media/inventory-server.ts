/** A media node's answers to the janitor (src/contracts/pbx-inventory.ts). */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  INVENTORY_MAX_BYTES,
  INVENTORY_PATH,
  SWEEP_PATH,
  sweep,
  type Inventory,
  type NodeSession,
  type SweepResult,
} from '../contracts/pbx-inventory.ts';
import { secretsEqual } from '../lib/digests.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { PbxKeeper, PbxThing } from './call-control.ts';

export interface InventoryServerOptions {
  readonly secret: string;
  readonly keeper: PbxKeeper;
  readonly node: {
    readonly nodeId: string;
    /** Talks that are not over, and callers who wait for their plan. */
    readonly sessions: readonly NodeSession[];
    /** With a goodbye. @returns false when there is no such talk. */
    endCall(callId: string): boolean;
  };
  readonly logger: Logger;
}

export function inventoryServer(options: InventoryServerOptions): RequestListener {
  return (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.logger.warn({ event: 'inventory_failed', error: errorFacts(error) }, 'The janitor could not be answered');
      response.writeHead(503).end();
    });
  };
}

async function answer(options: InventoryServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, headers } = request;
  const route = `${method} ${url}`;
  if (route !== `GET ${INVENTORY_PATH}` && route !== `POST ${SWEEP_PATH}`) return void response.writeHead(404).end();
  if (!secretsEqual(headers.authorization ?? '', `Bearer ${options.secret}`)) return void response.writeHead(401).end();
  if (method === 'GET') return reply(response, await inventory(options));
  const parsed = sweep.safeParse(jsonOf(await bodyOf(request)));
  if (!parsed.success) return void response.writeHead(400).end();
  const { calls, ...things } = parsed.data;
  const removed = await options.keeper.remove(things, (thing) => !isServed(options.node.sessions, thing));
  reply(response, { removed: [...removed, ...calls.filter((callId) => options.node.endCall(callId))] });
}

/** The PBX first: whatever is in it was made by a session that existed before. */
async function inventory({ keeper, node }: InventoryServerOptions): Promise<Inventory> {
  const pbx = await keeper.inventory();
  return { nodeId: node.nodeId, ...pbx, sessions: [...node.sessions] };
}

/** Asked again at the last moment: the call may have come here since. */
function isServed(sessions: readonly NodeSession[], { id, callId, epoch }: PbxThing): boolean {
  return sessions.some((session) => {
    if (callId === null) return session.channelId === id;
    return session.callId === callId && (epoch === null || epoch >= session.epoch);
  });
}

function reply(response: ServerResponse, body: Inventory | SweepResult): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > INVENTORY_MAX_BYTES) throw new Error('The sweep is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Asks media nodes over HTTP (src/contracts/pbx-inventory.ts). */
import type { MediaNode } from '../../contracts/media-node.ts';
import {
  inventory,
  INVENTORY_MAX_BYTES,
  INVENTORY_PATH,
  SWEEP_PATH,
  sweepResult,
  type Inventory,
  type Sweep,
} from '../../contracts/pbx-inventory.ts';
import { HoldfastError } from '../../domain/errors.ts';

const INVENTORY_TIMEOUT_MS = 3_000;
const SWEEP_TIMEOUT_MS = 10_000;

/** @throws HoldfastError media_node_lost (retryable), or control_protocol when it answers something else. */
export async function takeInventory(node: MediaNode, secret: string): Promise<Inventory> {
  const answer = await ask(node, INVENTORY_PATH, { secret, timeoutMs: INVENTORY_TIMEOUT_MS });
  const parsed = inventory.safeParse(answer);
  if (!parsed.success) throw new HoldfastError('control_protocol', 'The media node did not answer with an inventory');
  return parsed.data;
}

/** @returns the ids that are gone. @throws as takeInventory. */
export async function sweepAt(node: MediaNode, secret: string, body: Sweep): Promise<readonly string[]> {
  const answer = await ask(node, SWEEP_PATH, { secret, timeoutMs: SWEEP_TIMEOUT_MS, body });
  const parsed = sweepResult.safeParse(answer);
  if (!parsed.success) throw new HoldfastError('control_protocol', 'The media node did not answer what it removed');
  return parsed.data.removed;
}

async function ask(node: MediaNode, path: string, { secret, timeoutMs, body }: AskOptions): Promise<unknown> {
  const url = new URL(path, node.controlUrl.replace(/^ws/, 'http'));
  try {
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (!response.ok || text.length > INVENTORY_MAX_BYTES) throw new Error(`status ${response.status}, ${text.length} characters`);
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new HoldfastError('media_node_lost', `Media node ${node.id} does not answer ${path}`, { retryable: true, cause });
  }
}

interface AskOptions {
  readonly secret: string;
  readonly timeoutMs: number;
  readonly body?: Sweep;
}

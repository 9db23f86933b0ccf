/** Which media nodes are alive, from the keys they keep in Redis. */
import type { Redis } from 'ioredis';
import { mediaNode, NODE_BEAT_MS, NODE_KEY_PREFIX, type MediaNode } from '../contracts/media-node.ts';

export interface MediaNodes {
  /** Nodes that announced themselves within NODE_TTL_MS; the last answer while Redis cannot be reached. */
  live(): Promise<readonly MediaNode[]>;
}

/** More nodes than this would be a mistake, not a cluster. */
const MAX_NODES = 1_000;
const REDIS_TIMEOUT_MS = 300;

export class RedisMediaNodes implements MediaNodes {
  readonly #redis: Redis;
  readonly #onUnavailable: (error: unknown) => void;
  #last: readonly MediaNode[] = [];

  constructor(redis: Redis, onUnavailable: (error: unknown) => void = () => undefined) {
    this.#redis = redis;
    this.#onUnavailable = onUnavailable;
  }

  async live(): Promise<readonly MediaNode[]> {
    try {
      this.#last = await withTimeout(this.#read(), REDIS_TIMEOUT_MS);
    } catch (error) {
      // A node that died with Redis is found out by `converse`, which then takes another one.
      this.#onUnavailable(error);
    }
    return this.#last;
  }

  async #read(): Promise<readonly MediaNode[]> {
    const keys = new Set<string>();
    let cursor = '0';
    do {
      const [next, found] = await this.#redis.scan(cursor, 'MATCH', `${NODE_KEY_PREFIX}*`, 'COUNT', 500);
      for (const key of found) keys.add(key);
      cursor = next;
    } while (cursor !== '0' && keys.size < MAX_NODES);
    if (keys.size === 0) return [];
    const values = await this.#redis.mget(...keys);
    return values.flatMap((value) => parseNode(value));
  }
}

/**
 * The node with the smallest share of its capacity in use, counting calls that were given to it
 * since it last announced its load; null when every node is full or draining.
 */
export class NodeChooser {
  readonly #recent: { readonly nodeId: string; readonly atMs: number }[] = [];

  choose(nodes: readonly MediaNode[], nowMs: number): MediaNode | null {
    while ((this.#recent[0]?.atMs ?? nowMs) < nowMs - NODE_BEAT_MS) this.#recent.shift();
    const loads = nodes
      .filter((node) => !node.draining)
      .map((node) => ({ node, calls: node.live + this.#recent.filter((given) => given.nodeId === node.id).length }))
      .filter(({ node, calls }) => calls < node.capacity)
      .sort((a, b) => a.calls / a.node.capacity - b.calls / b.node.capacity || (a.node.id < b.node.id ? -1 : 1));
    const chosen = loads[0]?.node ?? null;
    if (chosen !== null) this.#recent.push({ nodeId: chosen.id, atMs: nowMs });
    return chosen;
  }

  /** Who could take the call if `chosen` died now; null when nobody else has room. Reserves nothing. */
  standby(nodes: readonly MediaNode[], chosen: MediaNode): MediaNode | null {
    const others = nodes.filter((node) => node.id !== chosen.id && !node.draining && node.live < node.capacity);
    return others.sort((a, b) => a.live / a.capacity - b.live / b.capacity || (a.id < b.id ? -1 : 1))[0] ?? null;
  }
}

function parseNode(value: string | null): MediaNode[] {
  if (value === null) return [];
  try {
    const parsed = mediaNode.safeParse(JSON.parse(value));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}

function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Redis did not answer within ${timeoutMs} ms`)), timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

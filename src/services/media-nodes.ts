/** Which media nodes are alive, from the keys they keep in Redis. */
import type { Redis } from 'ioredis';
import { mediaNode, NODE_BEAT_MS, NODE_INDEX_KEY, NODE_KEY_PREFIX, NODE_TTL_MS, type MediaNode } from '../contracts/media-node.ts';

export interface MediaNodes {
  /** Nodes that announced themselves within NODE_TTL_MS; the last answer while Redis cannot be reached. */
  live(): Promise<readonly MediaNode[]>;
}

/** A node that was found dead stays announced until its key expires; then it is gone by itself. */
const AVOID_MS = 2 * NODE_TTL_MS;
const REDIS_TIMEOUT_MS = 300;

export class RedisMediaNodes implements MediaNodes {
  readonly #redis: Redis;
  readonly #onUnavailable: (error: unknown) => void;
  #last: readonly MediaNode[] = [];
  /** One question to Redis serves all who ask meanwhile: with a node, all of its calls ask at once. */
  #asking: Promise<readonly MediaNode[]> | null = null;
  readonly #avoided = new Map<string, number>();

  constructor(redis: Redis, onUnavailable: (error: unknown) => void = () => undefined) {
    this.#redis = redis;
    this.#onUnavailable = onUnavailable;
  }

  async live(): Promise<readonly MediaNode[]> {
    const nodes = await this.announced();
    return nodes.filter(({ instance }) => !this.#isAvoided(instance));
  }

  /** Those to be avoided as well. */
  async announced(): Promise<readonly MediaNode[]> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** This process is dead, hangs, or is leaving: for a while it is not live here, whatever Redis says. */
  avoid(instance: string): void {
    this.#avoided.set(instance, performance.now() + AVOID_MS);
  }

  #isAvoided(instance: string): boolean {
    const until = this.#avoided.get(instance);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#avoided.delete(instance);
    return false;
  }

  async #ask(): Promise<readonly MediaNode[]> {
    try {
      this.#last = await withTimeout(this.#read(), REDIS_TIMEOUT_MS);
    } catch (error) {
      // A node that died with Redis is found out by `converse`, which then takes another one.
      this.#onUnavailable(error);
    }
    return this.#last;
  }

  async #read(): Promise<readonly MediaNode[]> {
    const ids = await this.#redis.smembers(NODE_INDEX_KEY);
    if (ids.length === 0) return [];
    const values = await this.#redis.mget(...ids.map((id) => `${NODE_KEY_PREFIX}${id}`));
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
    const chosen = this.#loads(nodes).find(({ node, calls }) => calls < node.capacity)?.node ?? null;
    return this.#given(chosen, nowMs);
  }

  /** For a caller in the middle of a call: a full node rather than none. */
  refuge(nodes: readonly MediaNode[], nowMs: number): MediaNode | null {
    return this.choose(nodes, nowMs) ?? this.#given(this.#loads(nodes)[0]?.node ?? null, nowMs);
  }

  /** Least loaded first. */
  #loads(nodes: readonly MediaNode[]): { readonly node: MediaNode; readonly calls: number }[] {
    return nodes
      .filter((node) => !node.draining)
      .map((node) => ({ node, calls: node.live + this.#recent.filter((given) => given.nodeId === node.id).length }))
      .sort((a, b) => a.calls / a.node.capacity - b.calls / b.node.capacity || (a.node.id < b.node.id ? -1 : 1));
  }

  #given(chosen: MediaNode | null, nowMs: number): MediaNode | null {
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

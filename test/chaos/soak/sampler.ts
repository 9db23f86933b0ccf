/** What must not grow: memory and open files of each process, keys in Redis, channels and bridges in Asterisk. */
import { readdirSync } from 'node:fs';
import { Redis } from 'ioredis';
import { processTree } from '../../../setup/stack/process-tree.ts';
import { usageOf } from '../../bench/process-usage.ts';
import type { World } from '../world.ts';
import { heldMemoryMb } from './heap.ts';
import type { Sample } from './slope.ts';

const MEGABYTE = 1_048_576;
/** A garbage collection is felt by the calls of the process: seldom. */
const HELD_EACH_MS = 300_000;

export class Sampler implements AsyncDisposable {
  readonly samples: Sample[] = [];
  readonly #world: World;
  readonly #redis: Redis;
  readonly #timer: NodeJS.Timeout;
  #heldAtMs = Date.now();

  constructor(world: World, everyMs: number) {
    this.#world = world;
    this.#redis = new Redis(world.stack.env['REDIS_URL'] ?? '', { maxRetriesPerRequest: 1 });
    this.#redis.on('error', () => undefined);
    this.#timer = setInterval(() => void this.#sample().catch(() => undefined), everyMs);
  }

  async #sample(): Promise<void> {
    const { stack } = this.#world;
    const pids = { ...stack.pids(), carrier: this.#world.carrier.pid };
    const values: Record<string, number> = {};
    for (const [name, { rssBytes }] of Object.entries(usageOf(pids))) values[`${name} RSS MB`] = rssBytes / MEGABYTE;
    for (const name of Object.keys(pids).filter((each) => /^(api|worker|media)\d*$/.test(each))) {
      values[`${name} open files`] = processTree(pids[name as keyof typeof pids]).reduce((sum, pid) => sum + openFiles(pid), 0);
    }
    const ended = await this.#redisKeys();
    Object.assign(values, ended);
    Object.assign(values, await this.#held());
    values['channels in Asterisk'] = await this.#count('channels');
    values['bridges in Asterisk'] = await this.#count('bridges');
    this.samples.push({ atMs: Date.now(), values });
  }

  /** Keys of ended calls live for ten minutes; what must not be is a key without an end. */
  async #redisKeys(): Promise<Record<string, number>> {
    const keys = await this.#redis.keys('*');
    const lives = await Promise.all(keys.map((key) => this.#redis.ttl(key)));
    return { 'Redis keys': keys.length, 'Redis keys without TTL': lives.filter((ttl) => ttl === -1).length };
  }

  /** What the processes hold after a garbage collection, now and then. */
  async #held(): Promise<Record<string, number>> {
    if (Date.now() - this.#heldAtMs < HELD_EACH_MS) return {};
    this.#heldAtMs = Date.now();
    const values: Record<string, number> = {};
    for (const [name, pid] of Object.entries(this.#world.stack.pids())) {
      if (!/^(api|worker|media)\d*$/.test(name)) continue;
      const held = await heldMemoryMb(pid);
      if (held !== null) values[`${name} held MB`] = held;
    }
    return values;
  }

  async #count(what: 'channels' | 'bridges'): Promise<number> {
    const { env } = this.#world.stack;
    const authorization = `Basic ${Buffer.from(`${env['ARI_USERNAME']}:${env['ARI_PASSWORD']}`).toString('base64')}`;
    const response = await fetch(`${env['ARI_URL']}/ari/${what}`, { headers: { authorization }, signal: AbortSignal.timeout(5_000) });
    return ((await response.json()) as unknown[]).length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#redis.disconnect();
    return Promise.resolve();
  }
}

function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

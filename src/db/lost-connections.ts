/**
 * Connections that a pool would lose, or hand out again and again, after PostgreSQL went away under a
 * running transaction. Kysely gives a connection back after BEGIN or ROLLBACK have succeeded; on a dead
 * connection neither does, so ten of them would leave the process without a database until its restart.
 */

interface PooledClient {
  readonly connection: {
    readonly stream: { setTimeout(ms: number): void; on(event: 'timeout', listener: () => void): void; destroy(): void };
  };
  /** False while the server owes an answer. */
  readonly readyForQuery: boolean;
  once(event: 'end', listener: () => void): void;
  release(discard: boolean): void;
  end(): Promise<void>;
}

/** The part of pg's Pool that is used here. */
export interface WatchedPool {
  on(event: 'connect' | 'acquire', listener: (client: PooledClient) => void): void;
  on(event: 'release', listener: (error: unknown, client: PooledClient) => void): void;
}

/** Whoever held a connection that ended has noticed by then, and given it back if they ever will. */
const GIVE_BACK_MS = 1_000;

/** @param answerTimeoutMs longer than any statement may take: a server that is silent for so long is gone without a word. */
export function discardLostConnections(pool: WatchedPool, answerTimeoutMs: number): void {
  const held = new Set<PooledClient>();
  pool.on('acquire', (client) => held.add(client));
  pool.on('release', (_error, client) => {
    held.delete(client);
    // Its query has run out of time: nobody may get it again.
    if (!client.readyForQuery) client.end().catch(() => undefined);
  });
  pool.on('connect', (client) => {
    const { stream } = client.connection;
    stream.setTimeout(answerTimeoutMs);
    stream.on('timeout', () => {
      if (!client.readyForQuery) stream.destroy();
    });
    client.once('end', () => {
      setTimeout(() => {
        if (held.has(client)) client.release(true);
      }, GIVE_BACK_MS).unref();
    });
  });
}

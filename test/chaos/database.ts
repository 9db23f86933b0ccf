/** What the suite does to PostgreSQL directly. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { World } from './world.ts';

async function connected<T>({ stack }: World, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: stack.env['DATABASE_URL'], connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Nobody can write a booking in this time: whoever tries has a running tool. A database that dies meanwhile ends it, too. */
export async function slowBookings(world: World, { atMs, untilMs }: { readonly atMs: number; readonly untilMs: number }): Promise<void> {
  await sleep(Math.max(0, atMs - Date.now()));
  await connected(world, async (client) => {
    await client.query('BEGIN');
    await client.query('LOCK TABLE bookings IN EXCLUSIVE MODE');
    await sleep(Math.max(0, untilMs - Date.now()));
    await client.query('ROLLBACK');
  }).catch(() => undefined);
}

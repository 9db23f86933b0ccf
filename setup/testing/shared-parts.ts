/** The parts that all tests share: started once, described to them in a file. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SharedParts } from '../../test/support/stack.ts';
import { loadParts } from '../stack/parts.ts';
import { startPostgres } from '../stack/postgres.ts';
import { startRedis } from '../stack/redis.ts';

export interface Shared {
  /** JSON of SharedParts, readable by this user only: it holds passwords. */
  readonly file: string;
  stop(): Promise<void>;
}

export async function startShared(): Promise<Shared> {
  const parts = loadParts(process.env);
  const dir = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  // PostgreSQL's own user must be able to pass through.
  await chmod(dir, 0o711);
  const logs = join(dir, 'logs');
  await mkdir(logs);
  const started = new AsyncDisposableStack();
  started.defer(() => rm(dir, { recursive: true, force: true }));
  try {
    const postgres = started.use(await startPostgres({ dir, logFile: join(logs, 'postgres.log'), port: 0 }));
    const redis = started.use(await startRedis({ parts, dir, logFile: join(logs, 'redis.log'), port: 0 }));
    const description: SharedParts = {
      parts,
      database: { adminUrl: postgres.adminUrl, ownerUrl: postgres.ownerUrl, appUrl: postgres.appUrl },
      redisUrl: redis.url,
    };
    const file = join(dir, 'stack.json');
    await writeFile(file, JSON.stringify(description), { mode: 0o600 });
    return { file, stop: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

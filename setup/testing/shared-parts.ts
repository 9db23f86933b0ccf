/** The parts that all tests share: started once, described to them in a file. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startTemporal } from '../../temporal/dev-server.ts';
import type { SharedParts } from '../../test/support/stack.ts';
import { startingUntil } from '../stack/child.ts';
import { startEmbeddedAi } from '../stack/embedded-ai.ts';
import { loadParts } from '../stack/parts.ts';
import { startPostgres } from '../stack/postgres.ts';
import { startRedis } from '../stack/redis.ts';
import { createDataDir } from '../stack/run-dirs.ts';

export interface Shared extends AsyncDisposable {
  /** JSON of SharedParts, readable by this user only: it holds passwords. */
  readonly file: string;
}

/** @param signal gives up a start that is under way */
export function startShared(signal?: AbortSignal): Promise<Shared> {
  return signal === undefined ? start() : startingUntil(signal, start);
}

async function start(): Promise<Shared> {
  const parts = loadParts(process.env);
  const started = new AsyncDisposableStack();
  try {
    const { dataDir: dir } = started.use(await createDataDir());
    const logs = join(dir, 'logs');
    const aiDir = join(dir, 'ai');
    for (const each of [logs, aiDir]) await mkdir(each, { mode: 0o700 });
    const keep = async <Part extends AsyncDisposable>(part: Promise<Part>): Promise<Part> => started.use(await part);
    const starting = [
      keep(startPostgres({ dir, logFile: join(logs, 'postgres.log'), port: 0 })),
      keep(startRedis({ parts, dir, logFile: join(logs, 'redis.log'), port: 0 })),
      keep(startTemporal({ parts, dir: join(dir, 'temporal'), logFile: join(logs, 'temporal.log'), port: 0, uiPort: 0 })),
      keep(startEmbeddedAi({ parts, dir: aiDir, logFile: join(logs, 'embedded-ai.log'), port: 0 })),
    ] as const;
    await Promise.allSettled(starting);
    const [postgres, redis, temporal, ai] = await Promise.all(starting);
    const description: SharedParts = {
      parts,
      database: { adminUrl: postgres.adminUrl, ownerUrl: postgres.ownerUrl, appUrl: postgres.appUrl },
      redisUrl: redis.url,
      temporal: { address: temporal.address, namespace: 'default', uiUrl: temporal.uiUrl },
      openai: { baseUrl: ai.baseUrl, apiKey: ai.apiKey },
      logsDir: logs,
    };
    const file = join(dir, 'stack.json');
    await writeFile(file, JSON.stringify(description), { mode: 0o600 });
    return { file, [Symbol.asyncDispose]: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

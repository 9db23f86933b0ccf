/** Where a run keeps its files: data in a short temporary path that goes at the end, logs and recordings in .run/ that stay. */
import { chmod, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface RunDirs extends AsyncDisposable {
  /** Databases, sockets, configuration with secrets. Removed at dispose. */
  readonly dataDir: string;
  readonly logsDir: string;
  readonly recordingsDir: string;
}

const KEPT_RUNS = 5;
const runsDir = fileURLToPath(new URL('../../.run', import.meta.url));

export interface RunDirsOptions {
  /** Logs and recordings go here instead of a directory of this run below .run/. */
  readonly keepDir?: string | undefined;
  readonly startedAt: Date;
}

export async function createRunDirs(options: RunDirsOptions): Promise<RunDirs> {
  const keepDir = options.keepDir ?? (await createRun(options.startedAt));
  const [logsDir, recordingsDir] = [join(keepDir, 'logs'), join(keepDir, 'recordings')];
  for (const dir of [logsDir, recordingsDir]) await mkdir(dir, { recursive: true, mode: 0o700 });
  return { ...(await createDataDir()), logsDir, recordingsDir };
}

/** Unix socket paths hold 107 bytes, so data never lives below the checkout. */
export async function createDataDir(): Promise<{ dataDir: string } & AsyncDisposable> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-'));
  // PostgreSQL's own user must be able to pass through; each part closes its own directory.
  await chmod(dataDir, 0o711);
  return { dataDir, [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }) };
}

async function createRun(startedAt: Date): Promise<string> {
  const name = `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}-${process.pid}`;
  const dir = join(runsDir, name);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const latest = join(runsDir, 'latest');
  await rm(latest, { force: true });
  // Two starts in the same moment: either may be the latest.
  await symlink(name, latest).catch(() => undefined);
  const runs = (await readdir(runsDir)).filter((entry) => /^\d{4}-/.test(entry)).sort();
  for (const old of runs.slice(0, -KEPT_RUNS)) await rm(join(runsDir, old), { recursive: true, force: true });
  return dir;
}

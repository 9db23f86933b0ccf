/** The peer's Python environment, in Holdfast's cache: made once per set of pinned versions and Python. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cached } from '../../../../setup/bootstrap/cache.mjs';

const run = promisify(execFile);
const requirements = fileURLToPath(new URL('./requirements.txt', import.meta.url));
/** The pinned versions have wheels for these. */
const PYTHONS = ['python3.13', 'python3.12', 'python3.11', 'python3'] as const;
const INSTALL_WITHIN_MS = 30 * 60_000;
const MAX_OUTPUT_BYTES = 16 * 1_048_576;

export type Peer = { readonly python: string } | { readonly notRun: string };

/** @param tell is told of what takes long. Never rejects: a bench without the peer is still a bench. */
export async function preparePeer(tell: (what: string) => void): Promise<Peer> {
  const found = await findPython();
  if (found === null) return { notRun: 'no Python 3.11 to 3.13 with venv on PATH' };
  const pins = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 8);
  try {
    const dir = await cached(`pipecat-${pins}-python${found.version}`, {
      waiting: () => tell('Another set-up is installing Pipecat; waiting for it …'),
      build: async (building: string) => {
        tell('Installing Pipecat for the comparison, once (about 600 MB) …');
        await install(found.program, building);
      },
    });
    return { python: join(dir, 'bin/python') };
  } catch (error) {
    return { notRun: `Pipecat could not be installed: ${lastLine(error)}` };
  }
}

/** The directory is moved afterwards: only bin/python is used, which finds its packages beside itself. */
async function install(python: string, dir: string): Promise<void> {
  const limits = { timeout: INSTALL_WITHIN_MS, maxBuffer: MAX_OUTPUT_BYTES };
  await run(python, ['-m', 'venv', dir], limits);
  await run(join(dir, 'bin/python'), ['-m', 'pip', 'install', '--no-cache-dir', '--requirement', requirements], limits);
}

async function findPython(): Promise<{ readonly program: string; readonly version: string } | null> {
  for (const program of PYTHONS) {
    const probe = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
    const version = await run(program, ['-c', probe]).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
    if (/^3\.1[1-3]$/.test(version)) return { program, version };
  }
  return null;
}

/** pip says in its last line what was wrong. */
function lastLine(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message?: string };
  const lines = (stderr ?? message ?? String(error)).trim().split('\n');
  return (lines.at(-1) ?? '').slice(0, 200);
}

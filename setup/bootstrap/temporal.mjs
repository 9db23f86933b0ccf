/** The Temporal CLI: its development server with the Web UI in one program. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { cached } from './cache.mjs';
import { download } from './download.mjs';
import { go } from './go.mjs';
import { StepFailed } from './report.mjs';
import { executable, run, which } from './shell.mjs';
import { atLeast } from './versions.mjs';

/** Newer ones cannot be built by "go install": their go.mod replaces a module. */
const VERSION = '1.5.1';
/** Of the server inside it: executeUpdateWithStart is there from this one on. */
const OLDEST_SERVER = '1.28';
const INSTEAD = `install the Temporal CLI (https://docs.temporal.io/cli) on PATH, set TEMPORAL_CLI to it, or set TEMPORAL_ADDRESS to a running server`;

/** @param {(what: string) => void} slow */
export async function temporal(slow) {
  const tried = [];
  const given = process.env.TEMPORAL_CLI;
  for (const [program, where] of [
    [given, 'TEMPORAL_CLI'],
    [given ? undefined : which('temporal'), 'PATH'],
  ]) {
    if (!program) continue;
    const version = await versionOf(program).catch((error) => error.message);
    if (atLeast(version, OLDEST_SERVER)) return { value: { command: [program] }, detail: `server ${version}, ${program} (${where})` };
    tried.push(`${program} (${where}): ${/^[\d.]+$/.test(version) ? `server ${version} is older than ${OLDEST_SERVER}` : version}`);
    if (given) throw new StepFailed('TEMPORAL_CLI is not usable.', { tried, instead: INSTEAD });
  }
  let how = 'cache';
  const build = async (dir) => {
    how = (await official(dir, slow, tried)) ?? (await compiled(dir, slow, tried));
  };
  try {
    const dir = await cached(`temporal-cli-${VERSION}`, { build, waiting: () => slow('waiting for another set-up') });
    const program = join(dir, 'temporal');
    return { value: { command: [program] }, detail: `server ${await versionOf(program)}, ${how}` };
  } catch (error) {
    throw new StepFailed('The Temporal CLI could not be set up.', {
      tried: tried.length > 0 ? tried : [error.message],
      instead: INSTEAD,
      cause: error,
    });
  }
}

/** A CLI built by "go install" does not know its own version, but always the server's. */
const versionOf = async (program) =>
  /Server (\d+(?:\.\d+)+)/i.exec(await run([program, '--version'], { timeoutMs: 15_000 }))?.[1] ?? 'without a server';

async function official(dir, slow, tried) {
  const platform = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const url = `https://github.com/temporalio/cli/releases/download/v${VERSION}/temporal_cli_${VERSION}_linux_${platform}.tar.gz`;
  const archive = join(dir, 'temporal.tar.gz');
  try {
    slow(`downloading the CLI ${VERSION}`);
    await download(url, archive, { connectTimeoutMs: 5_000, timeoutMs: 600_000 });
    await run(['tar', '-xzf', archive, '-C', dir, 'temporal']);
    await rm(archive);
    await versionOf(join(dir, 'temporal'));
    return 'official download';
  } catch (error) {
    tried.push(`official download: ${error.message}`);
    await rm(archive, { force: true });
    await rm(join(dir, 'temporal'), { force: true });
    return undefined;
  }
}

async function compiled(dir, slow, tried) {
  const scratch = join(dir, '.go');
  try {
    const compiler = await go(slow);
    slow(`building the CLI ${VERSION} with Go ${compiler.version} (4 to 7 minutes)`);
    await mkdir(scratch, { recursive: true });
    const env = {
      ...process.env,
      PATH: `${dirname(compiler.program)}:${process.env.PATH ?? ''}`,
      HOME: process.env.HOME || homedir(),
      ...compiler.env,
      GOBIN: dir,
      CGO_ENABLED: '0',
      GOFLAGS: '-buildvcs=false -modcacherw',
      ...(await certificates(scratch)),
      // A compiler of ours leaves nothing in the user's home; with the user's own, their caches are used.
      ...(Object.keys(compiler.env).length > 0 ? { GOPATH: scratch, GOCACHE: process.env.GOCACHE || join(scratch, 'cache') } : {}),
    };
    const build = [compiler.program, 'install', '-trimpath', '-ldflags', '-s -w', `github.com/temporalio/cli/cmd/temporal@v${VERSION}`];
    await run(build, { env, timeoutMs: 1_800_000 });
    if (!executable(join(dir, 'temporal'))) throw new Error(`no program came out, only ${(await readdir(dir)).join(', ')}`);
    return `built with Go ${compiler.version}`;
  } catch (error) {
    tried.push(`building it with Go: ${error.message}`);
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Go trusts the host's certificates; a bare Debian has none, but Node has. */
async function certificates(dir) {
  if (process.env.SSL_CERT_FILE || existsSync('/etc/ssl/certs/ca-certificates.crt')) return {};
  const file = join(dir, 'certificates.pem');
  await writeFile(file, `${rootCertificates.join('\n')}\n`);
  return { SSL_CERT_FILE: file };
}

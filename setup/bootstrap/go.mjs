/** A Go compiler: the host's, else the official toolchain from the Go module proxy, as Go itself gets newer ones. */
import { readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { download } from './download.mjs';
import { run, which } from './shell.mjs';
import { unzip } from './unzip.mjs';
import { atLeast } from './versions.mjs';

const WANTED = '1.25';
const VERSION = '1.25.12';
const toolchains = {
  x64: { name: 'linux-amd64', sha256: 'd9d4a1114c4c1f65e8e226c7b2f2f556e821c1d0c1740a244ef2bc42fb00c5ad' },
};

/**
 * @param {(what: string) => void} slow
 * @returns {Promise<{program: string, env: Record<string, string>, version: string}>} env: what it needs on top of the host's
 */
export async function go(slow) {
  const present = which('go');
  if (present !== undefined) {
    const version = /go(\d+(?:\.\d+)+)/.exec(await run([present, 'version']).catch(() => ''))?.[1] ?? '';
    if (atLeast(version, WANTED)) return { program: present, env: {}, version };
  }
  const toolchain = toolchains[process.arch];
  if (toolchain === undefined) throw new Error(`no Go ${WANTED} or newer on PATH, and none is pinned for processor ${process.arch}`);
  const build = async (dir) => {
    slow(`getting Go ${VERSION} (65 MB)`);
    const module = `golang.org/toolchain@v0.0.1-go${VERSION}.${toolchain.name}`;
    const archive = join(dir, 'toolchain.zip');
    const url = `${await moduleProxy()}/${module.replace('@', '/@v/')}.zip`;
    await download(url, archive, { connectTimeoutMs: 15_000, timeoutMs: 600_000, sha256: toolchain.sha256 });
    // The format keeps no permissions.
    const mode = (path) => (/^(bin|pkg\/tool)\//.test(path) ? 0o755 : undefined);
    await unzip(archive, dir, { strip: `${module}/`, mode });
    await rm(archive);
    await run([join(dir, 'bin/go'), 'version'], { env: { ...process.env, GOROOT: dir, GOTOOLCHAIN: 'local' } });
  };
  const root = await cached(`go-${VERSION}`, { build, waiting: () => slow('waiting for another set-up') });
  return { program: join(root, 'bin/go'), env: { GOROOT: root, GOTOOLCHAIN: 'local' }, version: VERSION };
}

/** Where Go would look: the variable, then the user's Go settings, then the public one. */
async function moduleProxy() {
  const settings = await readFile(
    process.env.GOENV || join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'go/env'),
    'utf8',
  ).catch(() => '');
  const list = process.env.GOPROXY || /^GOPROXY=(.*)$/m.exec(settings)?.[1] || '';
  return (
    list
      .split(/[,|]/)
      .find((entry) => /^https?:/.test(entry))
      ?.replace(/\/$/, '') ?? 'https://proxy.golang.org'
  );
}

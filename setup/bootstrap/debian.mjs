/**
 * Debian packages unpacked into a directory of their own, with everything they depend on, down to
 * the C library. Needs apt and dpkg (any Debian or Ubuntu) but no root, installs nothing on the
 * host, and gives every host the same versions. Signatures are checked against the keys in keys/.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, which } from './shell.mjs';

const KEYS = fileURLToPath(new URL('keys', import.meta.url));

const machines = {
  x64: { debian: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { debian: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};
const machine = machines[process.arch];

/** Why packages cannot be unpacked here, or undefined. */
export function cannotUnpack() {
  if (machine === undefined) return `processor ${process.arch} is not x64 or arm64`;
  const missing = ['apt-get', 'apt-config', 'dpkg-deb'].filter((program) => which(program) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(', ')} not found: not Debian or Ubuntu`;
}

/**
 * @param {string} dir receives usr/, etc/ and so on
 * @param {{suite: string, packages: readonly string[]}} what
 */
export async function unpackDebian(dir, { suite, packages }) {
  const work = join(dir, '.apt');
  for (const part of ['etc/apt.conf.d', 'lists/partial', 'archives/partial', 'state']) await mkdir(join(work, part), { recursive: true });
  await writeFile(join(work, 'state/status'), '');
  await writeFile(join(work, 'etc/sources.list'), `deb ${debianMirror()} ${suite} main\n`);
  const config = join(work, 'apt.conf');
  await writeFile(config, await aptConfig(work));
  const env = { ...process.env, APT_CONFIG: config, LC_ALL: 'C.UTF-8' };
  await run(['apt-get', 'update'], { env, timeoutMs: 300_000 });
  await run(['apt-get', 'install', '--yes', '--download-only', ...packages], { env, timeoutMs: 900_000 });
  const archives = join(work, 'archives');
  for (const name of (await readdir(archives)).filter((file) => file.endsWith('.deb'))) {
    await run(['dpkg-deb', '--extract', join(archives, name), dir]);
  }
  await rm(work, { recursive: true, force: true });
  for (const unused of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/lintian']) {
    await rm(join(dir, unused), { recursive: true, force: true });
  }
}

async function aptConfig(work) {
  // What the host needs to reach the network is kept; everything else of its configuration is not.
  const proxies = (await run(['apt-config', 'dump'])).split('\n').filter((line) => /^Acquire::(http|https)::/i.test(line));
  return [
    `Dir "${work}";`,
    `Dir::Etc "${work}/etc";`,
    `Dir::Etc::sourcelist "${work}/etc/sources.list";`,
    'Dir::Etc::sourceparts "/dev/null";',
    'Dir::Etc::trusted "/dev/null";',
    `Dir::Etc::trustedparts "${KEYS}";`,
    'Dir::Etc::preferencesparts "/dev/null";',
    `Dir::State "${work}/state";`,
    `Dir::State::lists "${work}/lists";`,
    `Dir::State::status "${work}/state/status";`,
    `Dir::Cache "${work}";`,
    `Dir::Cache::archives "${work}/archives";`,
    `Dir::Log "${work}";`,
    // The download user of the host's apt may not enter a cache below a home directory.
    'APT::Sandbox::User "root";',
    `APT::Architecture "${machine.debian}";`,
    `APT::Architectures "${machine.debian}";`,
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    // A mirror that lags is better than none; signatures still count.
    'Acquire::Check-Valid-Until "false";',
    'Acquire::Retries "3";',
    ...proxies,
    '',
  ].join('\n');
}

/** The host's own mirror when it is a Debian, for it is known to be reachable. Plain HTTP needs no CA certificates. */
export function debianMirror(env = process.env) {
  if (env.HOLDFAST_DEBIAN_MIRROR) return env.HOLDFAST_DEBIAN_MIRROR;
  const fallback = 'http://deb.debian.org/debian';
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!/^ID=debian$/m.test(release)) return fallback;
  for (const file of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const found = /^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(text);
    if (found) return found[1];
  }
  return fallback;
}

/** Program and arguments that run `program` of an unpacked root with the root's own C library. */
export function commandIn(root, program) {
  const directories = libraryDirs(root);
  const loader = directories.map((directory) => join(directory, machine.loader)).find((path) => existsSync(path));
  if (loader === undefined) throw new Error(`${root} holds no ${machine.loader}`);
  return [loader, '--library-path', directories.join(':'), join(root, program)];
}

export function libraryDir(root) {
  return join(root, 'usr/lib', machine?.triplet ?? '');
}

/** The last ones are where Debian's alternatives and private libraries live. */
function libraryDirs(root) {
  const usr = libraryDir(root);
  return [usr, join(root, 'lib', machine.triplet), ...['blas', 'lapack', 'pulseaudio'].map((name) => join(usr, name))].filter((directory) =>
    existsSync(directory),
  );
}

/** Debian makes this link when a package is installed; unpacking does not. */
export async function linkSounds(root) {
  const sounds = join(root, 'usr/share/asterisk/sounds');
  await rm(join(sounds, 'en'), { force: true });
  await symlink('en_US_f_Allison', join(sounds, 'en'));
}

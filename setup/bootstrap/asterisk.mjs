/** Asterisk 22.8 or newer with chan_websocket. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { cannotUnpack, commandIn, libraryDir, linkSounds, unpackDebian } from './debian.mjs';
import { StepFailed } from './report.mjs';
import { run, which } from './shell.mjs';
import { atLeast } from './versions.mjs';

const WANTED = '22.8';
const SUITE = 'forky';
const PACKAGES = ['asterisk', 'asterisk-modules', 'asterisk-core-sounds-en-wav'];
const INSTEAD = `install Asterisk ${WANTED} or newer with chan_websocket so that "asterisk -V" works, or set HOLDFAST_ASTERISK_ROOT to a directory that holds usr/sbin/asterisk of such a one`;

/** @param {(what: string) => void} slow */
export async function asterisk(slow) {
  const tried = [];
  const given = process.env.HOLDFAST_ASTERISK_ROOT;
  if (given) {
    const found = await inRoot(given, tried);
    if (found) return { value: found.value, detail: `${found.version}, from HOLDFAST_ASTERISK_ROOT` };
    // Someone who names a place wants that one or an error.
    throw new StepFailed(`HOLDFAST_ASTERISK_ROOT holds no usable Asterisk.`, { tried, instead: INSTEAD });
  }
  const installed = await onPath(tried);
  if (installed) return { value: installed.value, detail: `${installed.version}, ${installed.value.command[0]}` };
  const impossible = cannotUnpack();
  if (impossible)
    throw new StepFailed('Asterisk could not be set up.', { tried: [...tried, `Debian ${SUITE}: ${impossible}`], instead: INSTEAD });
  let built = false;
  const build = async (dir) => {
    built = true;
    slow(`unpacking Asterisk 22 of Debian ${SUITE} (about 100 MB)`);
    await unpackDebian(dir, { suite: SUITE, packages: PACKAGES });
    await linkSounds(dir);
  };
  try {
    const root = await cached(`asterisk-22-debian-${SUITE}`, { build, waiting: () => slow('waiting for another set-up') });
    const found = await inRoot(root, tried);
    if (!found) throw new Error(tried.at(-1));
    return { value: found.value, detail: `${found.version}, ${built ? `unpacked from Debian ${SUITE}` : 'cache'}` };
  } catch (error) {
    throw new StepFailed('Asterisk could not be set up.', {
      tried: [...tried, `packages of Debian ${SUITE}: ${error.message}`],
      instead: INSTEAD,
      cause: error,
    });
  }
}

async function inRoot(root, tried) {
  try {
    if (!existsSync(join(root, 'usr/sbin/asterisk'))) throw new Error('no usr/sbin/asterisk');
    const command = commandIn(root, 'usr/sbin/asterisk');
    const modulesDir = join(libraryDir(root), 'asterisk/modules');
    const version = await usableVersion(command, modulesDir);
    return { version, value: { command, modulesDir, dataDir: join(root, 'usr/share/asterisk') } };
  } catch (error) {
    tried.push(`${root}: ${error.message}`);
    return undefined;
  }
}

async function onPath(tried) {
  const program = which('asterisk');
  if (program === undefined) {
    tried.push('asterisk on PATH: not there');
    return undefined;
  }
  const places = [
    '/usr/local/lib/asterisk/modules',
    join(libraryDir('/'), 'asterisk/modules'),
    '/usr/lib64/asterisk/modules',
    '/usr/lib/asterisk/modules',
  ];
  const modulesDir = places.find((place) => existsSync(join(place, 'chan_websocket.so')));
  const dataDir = ['/usr/share/asterisk', '/var/lib/asterisk'].find((place) => existsSync(join(place, 'sounds')));
  try {
    if (dataDir === undefined) throw new Error('its sounds were not found');
    const version = await usableVersion([program], modulesDir ?? places[0]);
    return { version, value: { command: [program], modulesDir, dataDir } };
  } catch (error) {
    tried.push(`${program}: ${error.message}`);
    return undefined;
  }
}

async function usableVersion(command, modulesDir) {
  const version = /\d+(\.\d+)+/.exec(await run([...command, '-V'], { timeoutMs: 10_000 }))?.[0] ?? '';
  if (!atLeast(version, WANTED)) throw new Error(`version ${version || 'unknown'} is older than ${WANTED}`);
  if (!existsSync(join(modulesDir, 'chan_websocket.so'))) throw new Error('it has no chan_websocket module');
  return version;
}

/** What is costly to get is kept outside the checkout, one directory per part and version. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const cleanups = new Set();

/** For an exit in the middle of a step. */
export async function cleanUp() {
  await Promise.all([...cleanups].map((remove) => remove()));
}

export function cacheDir(env = process.env) {
  return env.HOLDFAST_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast');
}

/**
 * The directory of `key`, made by `build` when it is not there. It appears complete or not at all,
 * and a second set-up that wants the same waits for the first.
 * @param {string} key
 * @param {{build: (dir: string) => Promise<void>, waiting: () => void}} options
 */
export async function cached(key, options) {
  const target = join(cacheDir(), key);
  if (existsSync(target)) return target;
  await mkdir(cacheDir(), { recursive: true });
  const unlock = await lock(`${target}.lock`, options.waiting);
  try {
    if (existsSync(target)) return target;
    await removeUnfinished(key);
    const building = await mkdtemp(`${target}.building-`);
    const remove = () => rm(building, { recursive: true, force: true });
    cleanups.add(remove);
    try {
      await options.build(building);
      await rename(building, target);
      return target;
    } finally {
      await remove();
      cleanups.delete(remove);
    }
  } finally {
    await unlock();
  }
}

/** What a set-up that was killed has left: only the holder of the lock builds, so nobody is at work on it. */
async function removeUnfinished(key) {
  const names = (await readdir(cacheDir())).filter((name) => name.startsWith(`${key}.building-`));
  await Promise.all(names.map((name) => rm(join(cacheDir(), name), { recursive: true, force: true })));
}

async function lock(file, waiting) {
  for (let told = false; ;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      const unlock = async () => {
        await rm(file, { force: true });
        cleanups.delete(unlock);
      };
      cleanups.add(unlock);
      return unlock;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!(await ownerLives(file))) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) waiting();
    told = true;
    await sleep(500);
  }
}

async function ownerLives(file) {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''));
  // Empty: its owner has made the file and is about to write into it.
  if (!Number.isInteger(pid) || pid <= 0) return existsSync(file) && Date.now() - (await modifiedAt(file)) < 5_000;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function modifiedAt(file) {
  const handle = await open(file, 'r').catch(() => undefined);
  const at = (await handle?.stat())?.mtimeMs ?? 0;
  await handle?.close();
  return at;
}

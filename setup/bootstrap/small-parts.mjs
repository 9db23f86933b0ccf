/** Redis and the speech tools: from PATH, else Debian 12's packages unpacked into the cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { cannotUnpack, commandIn, unpackDebian } from './debian.mjs';
import { StepFailed } from './report.mjs';
import { run, which } from './shell.mjs';
import { atLeast } from './versions.mjs';

/** The last Debian whose pocketsphinx has pocketsphinx_continuous. */
const SUITE = 'bookworm';
const MODEL = 'usr/share/pocketsphinx/model/en-us';

/** @param {(what: string) => void} slow */
export async function redis(slow) {
  const program = which('redis-server');
  if (program !== undefined) {
    const version = await redisVersion([program]);
    if (atLeast(version, '6.2')) return { value: { command: [program] }, detail: `${version}, ${program}` };
  }
  const { root, how } = await unpacked(
    { name: 'Redis', key: 'redis', packages: ['redis-server'], instead: 'apt-get install redis-server, or set REDIS_URL' },
    slow,
  );
  const command = commandIn(root, 'usr/bin/redis-server');
  return { value: { command }, detail: `${await redisVersion(command)}, ${how}` };
}

const redisVersion = async (command) => /v=(\d+(?:\.\d+)+)/.exec(await run([...command, '--version']))?.[1] ?? '';

/** @param {(what: string) => void} slow */
export async function speech(slow) {
  const programs = ['flite', 'pocketsphinx_continuous'].map((program) => which(program));
  if (programs.every((program) => program !== undefined) && existsSync(join('/', MODEL, 'en-us/mdef'))) {
    const value = { flite: { command: [programs[0]] }, pocketsphinx: { command: [programs[1]], modelDir: join('/', MODEL) } };
    return { value, detail: `flite and pocketsphinx, ${programs.join(', ')}` };
  }
  const part = {
    name: 'The speech tools',
    key: 'speech',
    packages: ['flite', 'pocketsphinx', 'pocketsphinx-en-us'],
    instead: 'apt-get install flite pocketsphinx pocketsphinx-en-us',
  };
  const { root, how } = await unpacked(part, slow);
  const value = {
    flite: { command: commandIn(root, 'usr/bin/flite') },
    pocketsphinx: { command: commandIn(root, 'usr/bin/pocketsphinx_continuous'), modelDir: join(root, MODEL) },
  };
  await run([...value.flite.command, '--version']).catch((error) => {
    // flite answers --version with exit code 1; only a program that cannot run prints nothing.
    if (!/flite/.test(error.output ?? '')) throw error;
  });
  return { value, detail: `flite and pocketsphinx, ${how}` };
}

async function unpacked(part, slow) {
  const tried = [`${part.packages.join(', ')} on PATH: not there, or not usable`];
  const impossible = cannotUnpack();
  if (impossible)
    throw new StepFailed(`${part.name} could not be set up.`, {
      tried: [...tried, `Debian ${SUITE}: ${impossible}`],
      instead: part.instead,
    });
  let how = 'cache';
  const build = async (dir) => {
    how = `unpacked from Debian ${SUITE}`;
    slow(`unpacking ${part.packages.join(', ')} of Debian ${SUITE}`);
    await unpackDebian(dir, { suite: SUITE, packages: part.packages });
  };
  try {
    const root = await cached(`${part.key}-debian-${SUITE}`, { build, waiting: () => slow('waiting for another set-up') });
    return { root, how };
  } catch (error) {
    throw new StepFailed(`${part.name} could not be set up.`, {
      tried: [...tried, `packages of Debian ${SUITE}: ${error.message}`],
      instead: part.instead,
      cause: error,
    });
  }
}

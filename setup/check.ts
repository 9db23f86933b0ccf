/** npm run check: types, lint, format, import directions, .env.example. One line per check; exit code 1 when one fails. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentKeys } from '../src/config.ts';
import { keysOf } from './testing/env-example.ts';

interface Outcome {
  readonly ok: boolean;
  readonly detail: string;
  /** Shown when it failed. */
  readonly output?: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = ['src', 'setup', 'temporal', 'asterisk', 'test'];
/** dependency-cruiser reads nothing, and complains about nothing, when it does not understand the compiler's version. */
const MIN_MODULES = 250;
const MAX_OUTPUT_BYTES = 64 * 1_048_576;

const checks: readonly (readonly [name: string, check: () => Promise<Outcome>])[] = [
  ['types', () => tool('tsc', ['--project', root, '--noEmit', '--pretty', 'false'])],
  ['lint', () => tool('oxlint', ['--type-aware', '--deny-warnings', ...sources])],
  ['format', () => tool('oxfmt', ['--check', ...sources, 'jest.config.js', '.dependency-cruiser.cjs'])],
  ['imports', importDirections],
  ['.env.example', environmentExample],
];

let failures = 0;
for (const [name, check] of checks) {
  const startedAtMs = performance.now();
  const { ok, detail, output } = await check();
  const seconds = `${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`;
  console.log(`  ${ok ? '✓' : '✗'} ${name.padEnd(14)} ${detail.padEnd(60)} ${seconds.padStart(8)}`);
  if (ok) continue;
  failures += 1;
  if (output !== undefined) console.log(`${output.trimEnd()}\n`);
}
console.log(failures === 0 ? `${checks.length} checks passed` : `${failures} of ${checks.length} checks failed`);
process.exitCode = failures === 0 ? 0 : 1;

interface Ran {
  readonly code: number;
  readonly output: string;
}

function run(program: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(join(root, 'node_modules/.bin', program), args, { cwd: root, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}

async function tool(program: string, args: readonly string[]): Promise<Outcome> {
  const { code, output } = await run(program, args);
  return { ok: code === 0, detail: program, output };
}

async function importDirections(): Promise<Outcome> {
  const { code, output } = await run('depcruise', [...sources, '--config', '.dependency-cruiser.cjs']);
  const modules = Number(/(\d+) modules/.exec(output)?.[1] ?? 0);
  if (modules < MIN_MODULES) return { ok: false, detail: `only ${modules} modules were read, at least ${MIN_MODULES} expected`, output };
  return { ok: code === 0, detail: `${modules} modules`, output };
}

async function environmentExample(): Promise<Outcome> {
  const listed = keysOf(await readFile(join(root, '.env.example'), 'utf8'));
  const missing = environmentKeys.filter((key) => !listed.includes(key));
  const unknown = listed.filter((key) => !environmentKeys.includes(key));
  const output = [
    ...missing.map((key) => `missing: ${key}`),
    ...unknown.map((key) => `not in src/config.ts, or listed twice: ${key}`),
  ].join('\n');
  const exact = missing.length === 0 && unknown.length === 0 && listed.length === environmentKeys.length;
  return { ok: exact, detail: `${listed.length} of ${environmentKeys.length} keys`, output };
}

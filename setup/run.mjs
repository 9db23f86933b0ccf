#!/usr/bin/env node
/**
 * npm start, npm test, npm run check, bench:*, chaos, soak: gets what is missing, then runs the
 * TypeScript entry on Node 24. Plain JavaScript without packages, for it runs on any Node >= 20
 * before anything is installed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asterisk } from './bootstrap/asterisk.mjs';
import { cleanUp } from './bootstrap/cache.mjs';
import { dependencies } from './bootstrap/dependencies.mjs';
import { node } from './bootstrap/node.mjs';
import { createReport, explain } from './bootstrap/report.mjs';
import { executable, stopRunning } from './bootstrap/shell.mjs';
import { redis, speech } from './bootstrap/small-parts.mjs';
import { temporal } from './bootstrap/temporal.mjs';
import { atLeast } from './bootstrap/versions.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entries = {
  start: 'src/bin/dev.ts',
  test: 'setup/test.ts',
  check: 'setup/check.ts',
  'bench:call': 'test/bench/call.ts',
  'bench:failover': 'test/bench/failover.ts',
  'bench:peers': 'test/bench/peers/main.ts',
  chaos: 'test/chaos/run.ts',
  soak: 'test/chaos/soak/run.ts',
};
const usage = `usage: node setup/run.mjs ${[...Object.keys(entries), 'exec'].join('|')} [arguments]`;

async function main() {
  const [command, ...args] = process.argv.slice(2);
  if (command !== 'exec' && entries[command] === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  if (!atLeast(process.versions.node, '20.12')) {
    process.stderr.write(`Node ${process.versions.node} is too old to begin with: any Node >= 20.12 will do, Node 24 is got from npm.\n`);
    return 1;
  }
  if (process.platform !== 'linux') {
    process.stderr.write(
      'Holdfast runs on Linux (Debian or Ubuntu, x64 or arm64); on another system use a virtual machine or a container.\n',
    );
    return 1;
  }
  if (command === 'start' && existsSync(join(root, '.env'))) process.loadEnvFile(join(root, '.env'));
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', interrupted);
  const output = command === 'exec' ? process.stderr : process.stdout;
  const { program, parts } = await bootstrap(command, createReport(output));
  process.removeListener('SIGINT', interrupted);
  process.removeListener('SIGTERM', interrupted);
  const env = { ...process.env, HOLDFAST_PARTS: JSON.stringify(parts), PATH: `${dirname(program)}${delimiter}${process.env.PATH ?? ''}` };
  const run =
    command === 'exec'
      ? args.slice(args[0] === '--' ? 1 : 0)
      : [program, '--disable-warning=ExperimentalWarning', join(root, entries[command]), ...args];
  return runEntry(run, env);
}

async function bootstrap(command, report) {
  const program = await report.step('Node', (slow) => node(slow));
  await report.step('npm packages', (slow) => dependencies({ root, node: program }, slow));
  const parts = {};
  if (command === 'check') return { program, parts };
  const external = command === 'start' ? externalParts(process.env, process.argv) : {};
  const skip = (name, why) => report.step(name, async () => ({ detail: `not needed: ${why}`, value: undefined }));
  if (external.asterisk) await skip('Asterisk', external.asterisk);
  else parts.asterisk = await report.step('Asterisk', (slow) => asterisk(slow));
  if (external.redis) await skip('Redis', external.redis);
  else parts.redisServer = await report.step('Redis', (slow) => redis(slow));
  if (external.speech) await skip('Speech', external.speech);
  else Object.assign(parts, await report.step('Speech', (slow) => speech(slow)));
  if (external.temporal) await skip('Temporal', external.temporal);
  else parts.temporal = await report.step('Temporal', (slow) => temporal(slow));
  return { program, parts };
}

/** What the environment names need not be got. The demo call's own caller still needs Asterisk and flite. */
function externalParts(env, argv) {
  const noCall = argv.includes('--no-call');
  return {
    ...(env.REDIS_URL ? { redis: 'REDIS_URL is set' } : {}),
    ...(env.TEMPORAL_ADDRESS ? { temporal: 'TEMPORAL_ADDRESS is set' } : {}),
    ...(noCall && env.ARI_URL && env.ARI_USERNAME && env.ARI_PASSWORD ? { asterisk: 'ARI_URL is set' } : {}),
    ...(noCall && env.OPENAI_API_KEY ? { speech: 'OPENAI_API_KEY is set' } : {}),
  };
}

function runEntry([program, ...args], env) {
  // Its own group: Ctrl-C reaches it once, through us, whatever npm and the terminal deliver.
  const guard = ['/usr/bin/setpriv', '/bin/setpriv'].find(executable);
  const [first, ...rest] = guard ? [guard, '--pdeathsig', 'TERM', '--', program, ...args] : [program, ...args];
  const child = spawn(first, rest, { cwd: process.cwd(), env, stdio: 'inherit', detached: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`${program}: ${error.message}\n`);
      resolve(127);
    });
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

function interrupted() {
  stopRunning();
  void cleanUp().finally(() => {
    process.stderr.write('\n');
    process.exit(130);
  });
}

process.exitCode = await main().catch((error) => {
  process.stderr.write(explain(error));
  return 1;
});

/**
 * Starts the PBX from the templates, as the user who runs it, in a directory of its own.
 *
 *   startPbx(options): Promise<Pbx>     Pbx = Child & { ariUrl, sip, dir }
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChild, type Child, type Launch } from '../setup/stack/child.ts';
import type { Parts } from '../setup/stack/parts.ts';
import { renderPbx, type PbxPaths, type PbxSettings, type Trunk } from './pbx-config.ts';
import { renderPrompts } from './prompts.ts';

export interface StartPbxOptions {
  readonly parts: Pick<Parts, 'asterisk' | 'flite'>;
  /** Made private (0700); holds secrets in files of mode 0600. Short: the control socket's path is limited. */
  readonly dir: string;
  readonly logFile: string;
  readonly sipPort: number;
  readonly httpPort: number;
  readonly rtpPorts: { readonly first: number; readonly last: number };
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  readonly ariUsername: string;
  readonly ariPassword: string;
  /** Default: the demo carrier on loopback. */
  readonly trunk?: Trunk;
  readonly fallbackNumber?: string;
  readonly maxCallSeconds?: number;
  /** Default: startChild. */
  readonly launch?: Launch;
}

export interface Pbx extends Child {
  /** http://host:port */
  readonly ariUrl: string;
  /** host:port, UDP */
  readonly sip: string;
  readonly dir: string;
  /** Runs a console command, e.g. `dialplan show`, and returns what it prints. */
  console(command: string): Promise<string>;
}

const LOOPBACK = '127.0.0.1';
const STOP_TIMEOUT_MS = 5_000;
const READY_REQUEST_TIMEOUT_MS = 1_000;
const CONSOLE_TIMEOUT_MS = 5_000;
/** Files that Asterisk complains about when they are missing; its defaults are right. */
const silenced = Object.fromEntries(
  ['acl', 'ccss', 'features', 'manager', 'pjproject', 'udptl', 'websocket_client'].map((name) => [`${name}.conf`, '']),
);
/** sun_path holds 108 bytes with its terminator. */
const MAX_SOCKET_PATH_BYTES = 107;

/** @throws Error when a value cannot be rendered, or the PBX does not become ready (with its log's tail). */
export async function startPbx(options: StartPbxOptions): Promise<Pbx> {
  const { parts, dir, logFile, ariUsername, ariPassword } = options;
  const paths = await makeDirectories(options);
  await renderPrompts(parts.flite.command, paths.promptsDir);
  const systemName = uniqueSystemName();
  const config = renderPbx(settingsOf(options), paths, systemName);
  for (const [name, text] of Object.entries({ ...silenced, ...config })) {
    const file = join(paths.configDir, name);
    await writeFile(file, text, { mode: 0o600 });
    // An older file keeps its mode when it is overwritten.
    await chmod(file, 0o600);
  }
  const ariUrl = `http://${LOOPBACK}:${options.httpPort}`;
  const asterisk = [...parts.asterisk.command, '-C', join(paths.configDir, 'asterisk.conf')];
  const child = await (options.launch ?? startChild)({
    name: 'asterisk',
    command: [...asterisk, '-f'],
    env: {},
    cwd: paths.stateDir,
    logFile,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    ready: async () => (await askName(ariUrl, ariUsername, ariPassword)) === systemName,
  });
  await requireSip(asterisk, child, options.sipPort);
  return Object.assign(child, {
    ariUrl,
    sip: `${LOOPBACK}:${options.sipPort}`,
    dir,
    console: (command: string) => runConsole(asterisk, command),
  });
}

/** Part of every call id of this PBX; a second PBX started in the same millisecond gets another. */
const uniqueSystemName = (): string => `hf-${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`;

async function makeDirectories({ dir, parts }: StartPbxOptions): Promise<PbxPaths> {
  const paths = {
    configDir: join(dir, 'etc'),
    stateDir: join(dir, 'var'),
    promptsDir: join(dir, 'prompts'),
    modulesDir: parts.asterisk.modulesDir,
    dataDir: parts.asterisk.dataDir,
  };
  if (Buffer.byteLength(join(paths.stateDir, 'asterisk.ctl')) > MAX_SOCKET_PATH_BYTES) {
    throw new Error(`asterisk: the path ${dir} is too long for the control socket`);
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  for (const path of [paths.configDir, paths.stateDir, paths.promptsDir]) await mkdir(path, { recursive: true, mode: 0o700 });
  return paths;
}

function settingsOf(options: StartPbxOptions): PbxSettings {
  const { sipPort, httpPort, rtpPorts, webhookUrl, webhookSecret, ariUsername, ariPassword, fallbackNumber, maxCallSeconds } = options;
  return {
    sipAddress: LOOPBACK,
    sipPort,
    httpAddress: LOOPBACK,
    httpPort,
    ariPermit: `${LOOPBACK}/32`,
    ariUsername,
    ariPassword,
    rtpPorts,
    webhookUrl,
    webhookSecret,
    trunk: options.trunk ?? { host: LOOPBACK, port: 5060 },
    ...(fallbackNumber === undefined ? {} : { fallbackNumber }),
    ...(maxCallSeconds === undefined ? {} : { maxCallSeconds }),
  };
}

/** Who answers at this address: on a port that was taken it would be another PBX. */
async function askName(ariUrl: string, username: string, password: string): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const signal = AbortSignal.timeout(READY_REQUEST_TIMEOUT_MS);
  const response = await fetch(`${ariUrl}/ari/asterisk/info?only=config`, { headers: { authorization }, signal });
  if (response.ok) return ((await response.json()) as { config?: { name?: unknown } }).config?.name;
  await response.body?.cancel();
  return undefined;
}

/** Asterisk starts without its SIP transport when the port is taken, and only logs it. */
async function requireSip(asterisk: readonly string[], child: Child, sipPort: number): Promise<void> {
  const shown = await runConsole(asterisk, 'pjsip show transports').catch(() => '');
  if (shown.includes(`${LOOPBACK}:${sipPort}`)) return;
  await child.stop();
  throw new Error(`asterisk: UDP port ${sipPort} on ${LOOPBACK} cannot be used for SIP. Log: ${child.logFile}`);
}

async function runConsole(asterisk: readonly string[], command: string): Promise<string> {
  const [program = '', ...args] = asterisk;
  const { stdout } = await promisify(execFile)(program, [...args, '-rx', command], { timeout: CONSOLE_TIMEOUT_MS });
  return stdout;
}

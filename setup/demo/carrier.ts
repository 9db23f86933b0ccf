/**
 * The carrier: a second Asterisk with its own directories and ports that plays the telephone
 * network. It dials the PBX over SIP, lets a program be the caller, and records both directions.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { confPath, confValue, renderTemplates } from '../../asterisk/render.ts';
import { startChild, type Child } from '../stack/child.ts';
import { freePort, freeUdpPort } from '../stack/ports.ts';
import type { Parts } from '../stack/parts.ts';
import { connectAri, type AriClient } from './ari-client.ts';
import { placeCall, type CallOptions, type CarrierCall } from './carrier-call.ts';

export interface CarrierOptions {
  readonly parts: Pick<Parts, 'asterisk' | 'flite'>;
  /** Configuration and state; made when missing. Short: the control socket's path is limited. */
  readonly dir: string;
  /** One directory per call with agent.wav and caller.wav. Default: `calls` below `dir`. */
  readonly recordingsDir?: string;
  readonly logFile: string;
  /** Where the PBX listens for SIP over UDP. */
  readonly pbxSip: { readonly host: string; readonly port: number };
}

export interface Carrier extends AsyncDisposable {
  readonly child: Child;
  readonly pid: number;
  readonly sip: { readonly host: string; readonly port: number };
  /** Resolves once the far side has answered or refused; see CarrierCall. */
  placeCall(options: CallOptions): Promise<CarrierCall>;
  /** Channels that exist now, for tests that look for leftovers. */
  channelCount(): Promise<number>;
  stop(): Promise<void>;
}

export const CARRIER_APP = 'caller';
const TEMPLATES = join(import.meta.dirname, '../../asterisk/carrier');
const RTP_PORTS = 1_000;
/** Asterisk complains about each of these when it is missing; its defaults are right. */
const EMPTY = ['acl', 'ccss', 'cel', 'cdr', 'features', 'manager', 'pjproject', 'udptl', 'websocket_client'];

export async function startCarrier(options: CarrierOptions): Promise<Carrier> {
  const httpPort = await freePort();
  const sipPort = await freeUdpPort();
  const password = randomBytes(24).toString('base64url');
  const etcDir = await writeConfiguration(options, { httpPort, sipPort, password });
  const url = `http://127.0.0.1:${httpPort}`;
  const authorization = `Basic ${Buffer.from(`${CARRIER_APP}:${password}`).toString('base64')}`;
  const child = await startChild({
    name: 'carrier',
    command: [...options.parts.asterisk.command, '-f', '-C', join(etcDir, 'asterisk.conf')],
    env: {},
    logFile: options.logFile,
    ready: async () => (await fetch(`${url}/ari/asterisk/ping`, { headers: { authorization } })).ok,
  });
  let ari: AriClient;
  try {
    ari = await connectAri({ url, username: CARRIER_APP, password, app: CARRIER_APP });
  } catch (error) {
    await child.stop();
    throw error;
  }
  const recordingsDir = options.recordingsDir ?? join(options.dir, 'calls');
  const stop = async (): Promise<void> => {
    ari.close();
    await child.stop();
  };
  return {
    child,
    pid: child.pid,
    sip: { host: '127.0.0.1', port: sipPort },
    placeCall: (call) => placeCall({ ari, app: CARRIER_APP, flite: options.parts.flite.command, recordingsDir }, call),
    channelCount: async () => (await ari.request<unknown[]>('GET', '/channels')).length,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function writeConfiguration(options: CarrierOptions, own: { httpPort: number; sipPort: number; password: string }): Promise<string> {
  const directories = Object.fromEntries(['etc', 'state', 'spool', 'run', 'log'].map((name) => [`${name}Dir`, join(options.dir, name)]));
  for (const path of Object.values(directories)) await mkdir(path, { recursive: true, mode: 0o700 });
  const { etcDir = '', ...otherDirectories } = directories;
  // Several Asterisks may share a range: each takes the ports that are still free in it.
  const rtpStart = 20_000 + 2 * randomInt(0, 5_000);
  const templates = Object.fromEntries(readdirSync(TEMPLATES).map((name) => [name, readFileSync(join(TEMPLATES, name), 'utf8')]));
  const rendered = renderTemplates(templates, {
    etcDir: confPath('etcDir', etcDir),
    ...Object.fromEntries(Object.entries(otherDirectories).map(([key, path]) => [key, confPath(key, path)])),
    modulesDir: confPath('modulesDir', options.parts.asterisk.modulesDir),
    dataDir: confPath('dataDir', options.parts.asterisk.dataDir),
    httpPort: String(own.httpPort),
    sipPort: String(own.sipPort),
    ariApp: CARRIER_APP,
    ariUsername: CARRIER_APP,
    ariPassword: own.password,
    rtpStart: String(rtpStart),
    rtpEnd: String(rtpStart + RTP_PORTS),
    pbxHost: confValue('pbxHost', options.pbxSip.host),
    pbxPort: String(options.pbxSip.port),
  });
  const silenced = Object.fromEntries(EMPTY.map((name) => [`${name}.conf`, '']));
  for (const [name, text] of Object.entries({ ...silenced, ...rendered })) await writeFile(join(etcDir, name), text, { mode: 0o600 });
  return etcDir;
}

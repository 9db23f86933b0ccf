/** What an operator decides about the PBX → the text of its configuration files. Pure but for reading the templates. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { confName, confPath, confValue, dialNumber, dialplanUrl, renderTemplates } from './render.ts';

export interface PbxSettings {
  readonly sipAddress: string;
  readonly sipPort: number;
  /** Where SIP and media are reached from outside, behind NAT. */
  readonly externalAddress?: string;
  /** Loopback, or a private address with ariPermit narrowed to the media nodes. */
  readonly httpAddress: string;
  readonly httpPort: number;
  /** Networks that may use ARI and the media socket, `a.b.c.d/len,…`. */
  readonly ariPermit: string;
  readonly ariUsername: string;
  readonly ariPassword: string;
  readonly rtpPorts: { readonly first: number; readonly last: number };
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  readonly trunk: Trunk;
  /** Dialled through the trunk after the apology, when Holdfast cannot take a call. */
  readonly fallbackNumber?: string;
  /** The PBX itself ends a call after this long, whatever the rest of Holdfast thinks. */
  readonly maxCallSeconds?: number;
}

export interface Trunk {
  /** Host of the carrier; calls from it (any port) are the trunk's. */
  readonly host: string;
  /** Where we call it. */
  readonly port: number;
  /** For a carrier that challenges our outgoing calls. */
  readonly username?: string;
  readonly password?: string;
}

export interface PbxPaths {
  readonly configDir: string;
  readonly stateDir: string;
  readonly promptsDir: string;
  readonly modulesDir: string;
  readonly dataDir: string;
}

const MAX_CALL_SECONDS = 14_400;

/** File name → text. @throws Error naming what cannot be rendered. */
export function renderPbx(settings: PbxSettings, paths: PbxPaths, systemName: string): Record<string, string> {
  const { trunk } = settings;
  return renderTemplates(readTemplates(), {
    configDir: confPath('configDir', paths.configDir),
    stateDir: confPath('stateDir', paths.stateDir),
    promptsDir: confPath('promptsDir', paths.promptsDir),
    modulesDir: confPath('modulesDir', paths.modulesDir),
    dataDir: confPath('dataDir', paths.dataDir),
    systemName: confName('systemName', systemName),
    sipBind: confValue('sipAddress', `${settings.sipAddress}:${settings.sipPort}`),
    transportExtra: externalLines(settings.externalAddress),
    trunkContact: confValue('trunk', `${trunk.host}:${trunk.port}`),
    trunkMatch: confValue('trunk.host', trunk.host),
    ...trunkAuth(trunk),
    rtpStart: String(settings.rtpPorts.first),
    rtpEnd: String(settings.rtpPorts.last),
    httpAddress: confValue('httpAddress', settings.httpAddress),
    httpPort: String(settings.httpPort),
    ariPermit: confValue('ariPermit', settings.ariPermit),
    ariUsername: confName('ariUsername', settings.ariUsername),
    ariPassword: confValue('ariPassword', settings.ariPassword),
    webhookUrl: dialplanUrl('webhookUrl', settings.webhookUrl),
    webhookSecretBase64: Buffer.from(settings.webhookSecret).toString('base64'),
    maxCallSeconds: String(settings.maxCallSeconds ?? MAX_CALL_SECONDS),
    fallbackNumber: dialNumber('fallbackNumber', settings.fallbackNumber ?? ''),
  });
}

function readTemplates(): Record<string, string> {
  const dir = join(import.meta.dirname, 'templates');
  return Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
}

function externalLines(address: string | undefined): string {
  if (address === undefined) return '';
  const value = confValue('externalAddress', address);
  return `external_signaling_address = ${value}\nexternal_media_address = ${value}`;
}

function trunkAuth({ username, password }: Trunk): { trunkAuthLine: string; trunkAuthSection: string } {
  if (username === undefined || password === undefined) return { trunkAuthLine: '', trunkAuthSection: '' };
  const lines = ['[from-tata-trunk-auth]', 'type = auth', 'auth_type = digest'];
  lines.push(`username = ${confValue('trunk.username', username)}`, `password = ${confValue('trunk.password', password)}`);
  return { trunkAuthLine: 'outbound_auth = from-tata-trunk-auth', trunkAuthSection: lines.join('\n') };
}

/** The environment of Holdfast's processes for one stack: generated secrets, and where everything is. */
import { randomBytes } from 'node:crypto';

export interface Secrets {
  readonly webhook: string;
  readonly mediaControl: string;
  readonly ariPassword: string;
  readonly dataEncryptionKey: string;
  readonly numberHashKey: string;
  /** Opens sealed payloads for the Temporal UI. */
  readonly codecToken: string;
}

export function generateSecrets(): Secrets {
  const token = () => randomBytes(32).toString('base64url');
  const key = () => randomBytes(32).toString('base64');
  return {
    webhook: token(),
    mediaControl: token(),
    ariPassword: token(),
    dataEncryptionKey: key(),
    numberHashKey: key(),
    codecToken: token(),
  };
}

export interface Addresses {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly apiPort: number;
  readonly openai: { readonly apiKey: string; readonly baseUrl: string };
  readonly ari: { readonly url: string; readonly username: string; readonly password: string };
  readonly temporal: { readonly address: string; readonly namespace: string; readonly uiUrl: string };
}

/**
 * Pure. `settings` are the user's own keys (models, limits, log level, secrets they have chosen);
 * addresses win over them, generated secrets do not.
 */
export function processEnvironment(
  addresses: Addresses,
  secrets: Secrets,
  settings: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    APP_ENV: 'development',
    TELEPHONY_WEBHOOK_SECRET: secrets.webhook,
    MEDIA_CONTROL_SECRET: secrets.mediaControl,
    DATA_ENCRYPTION_KEY: secrets.dataEncryptionKey,
    NUMBER_HASH_KEY: secrets.numberHashKey,
    TEMPORAL_CODEC_TOKEN: secrets.codecToken,
    TEMPORAL_CODEC_ORIGINS: uiOrigins(addresses.temporal.uiUrl).join(','),
    TRANSFER_ALLOWED_HOSTS: '127.0.0.1',
    ...settings,
    DATABASE_URL: addresses.databaseUrl,
    REDIS_URL: addresses.redisUrl,
    API_HOST: '127.0.0.1',
    API_PORT: String(addresses.apiPort),
    OPENAI_API_KEY: addresses.openai.apiKey,
    OPENAI_BASE_URL: addresses.openai.baseUrl,
    ARI_URL: addresses.ari.url,
    ARI_USERNAME: addresses.ari.username,
    ARI_PASSWORD: addresses.ari.password,
    TEMPORAL_ADDRESS: addresses.temporal.address,
    TEMPORAL_NAMESPACE: addresses.temporal.namespace,
  };
}

/** By either name of the loopback address, because people open both. */
function uiOrigins(uiUrl: string): string[] {
  const { origin } = new URL(uiUrl);
  return [...new Set([origin, origin.replace('//127.0.0.1', '//localhost'), origin.replace('//localhost', '//127.0.0.1')])];
}

/** Text of a .env file with these values. */
export function environmentFile(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([key, value]) => `${key}=${/[\s#'"\\]/.test(value) ? quoted(value) : value}\n`)
    .join('');
}

/** A .env file knows no escapes: whatever holds double quotes, as JSON does, goes into single ones. */
const quoted = (value: string): string => (value.includes('"') ? `'${value}'` : `"${value}"`);

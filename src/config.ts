/**
 * Environment → frozen Config. Pure: only src/bin reads process.env and hands it in. A bad
 * environment throws config_invalid naming every missing or bad key, never a value.
 */
import { z } from 'zod';
import { HoldfastError } from './domain/errors.ts';

const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const port = z.coerce.number().int().min(0).max(65_535);
const positive = z.coerce.number().int().positive();
const httpUrl = z.url({ protocol: /^https?$/ });
/** Without query and slash at its end: paths are put behind it. */
const bareUrl = (protocol: RegExp) =>
  z.url({ protocol }).refine((url) => !/[?#]|\/$/.test(url), 'must end without a slash, and have no query');
const key32 = z.base64().refine((value) => Buffer.from(value, 'base64').length === 32, 'must be 32 bytes, base64');
const csv = z.string().transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

/** A further provider of speech and language; a model that is left out means that it does not serve that stage. */
const fallback = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9-]{1,40}$/),
    base_url: httpUrl,
    api_key: z.string().min(1),
    stt_model: z.string().min(1).optional(),
    llm_model: z.string().min(1).optional(),
    tts_model: z.string().min(1).optional(),
    tts_voice: z.string().min(1).optional(),
  })
  .refine((entry) => (entry.tts_model === undefined) === (entry.tts_voice === undefined), 'tts_model and tts_voice belong together');
const fallbacks = z
  .array(fallback)
  .max(5)
  .refine((all) => new Set(['primary', ...all.map((each) => each.name)]).size === all.length + 1, 'names must differ');
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('must be JSON');
    return z.NEVER;
  }
});

const environment = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  /** Owner of the tables, for migrations only; api and worker connect by DATABASE_URL, as a role that owns nothing. */
  DATABASE_OWNER_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  APP_ENV: z.enum(['development', 'staging', 'production']),
  APP_NAME: z.string().min(1).default('holdfast'),
  DEBUG: flag.default(false),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).default('redis://127.0.0.1:6379'),

  API_HOST: z.string().min(1).default('127.0.0.1'),
  API_PORT: port.default(8080),

  OPENAI_API_KEY: z.string().min(1).default(''),
  OPENAI_BASE_URL: httpUrl.default('https://api.openai.com/v1'),
  STT_MODEL: z.string().min(1).default('whisper-1'),
  LLM_MODEL: z.string().min(1).default('gpt-4'),
  TTS_MODEL: z.string().min(1).default('tts-1'),
  TTS_VOICE: z.string().min(1).default('alloy'),
  /** Asked when the provider above fails or is late, in this order. */
  AI_FALLBACKS: json.pipe(fallbacks).default([]),

  ARI_URL: httpUrl.default('http://127.0.0.1:8088'),
  ARI_USERNAME: z.string().min(1).default(''),
  ARI_PASSWORD: z.string().min(1).default(''),

  /** Longest one stage of an answer may take, its retries included. */
  STT_TIMEOUT_SECONDS: positive.default(10),
  LLM_TIMEOUT_SECONDS: positive.default(15),
  TTS_TIMEOUT_SECONDS: positive.default(15),

  /** On the whole platform, however many the media nodes could hold. */
  MAX_CONCURRENT_CALLS: positive.default(500),

  MAX_CONVERSATION_TURNS: positive.default(20),
  MAX_CONVERSATION_DURATION_SECONDS: positive.default(300),
  SILENCE_REMINDER_SECONDS: positive.default(8),
  MAX_SILENCE_REMINDERS: z.coerce.number().int().nonnegative().default(2),

  TELEPHONY_WEBHOOK_SECRET: z.string().min(16).default(''),
  /** Still accepted while a new secret is rolled out. */
  TELEPHONY_WEBHOOK_SECRET_PREVIOUS: z.string().min(16).optional(),
  TELEPHONY_WEBHOOK_ALLOWED_ADDRESSES: csv.default(['127.0.0.1/32', '::1/128']),
  TELEPHONY_WEBHOOK_MAX_AGE_SECONDS: positive.default(60),

  TEMPORAL_ADDRESS: z.string().min(1).default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_TASK_QUEUE: z.string().min(1).default('holdfast'),

  /** Who may read sealed payloads over the codec endpoint; empty: there is none. */
  TEMPORAL_CODEC_TOKEN: z
    .string()
    .regex(/^[\w-]{16,200}$/)
    .or(z.literal(''))
    .default(''),
  /** Origins of the Temporal UI that may ask from a browser. */
  TEMPORAL_CODEC_ORIGINS: csv.default([]),
  /** Hosts of the SIP addresses that operators may transfer callers to; none unless named. */
  TRANSFER_ALLOWED_HOSTS: csv.transform((hosts) => hosts.map((host) => host.toLowerCase())).default([]),

  /** Wraps tenants' keys and seals callers' numbers. */
  DATA_ENCRYPTION_KEY: key32.default(''),
  /** Still opens what the key before sealed. */
  DATA_ENCRYPTION_KEY_PREVIOUS: key32.optional(),
  /** Keys the HMAC of phone numbers. */
  NUMBER_HASH_KEY: key32.default(''),

  MEDIA_NODE_ID: z
    .string()
    .regex(/^[a-z0-9-]{1,60}$/)
    .default('media-1'),
  MEDIA_CONTROL_HOST: z.string().min(1).default('127.0.0.1'),
  MEDIA_CONTROL_PORT: port.default(0),
  MEDIA_CONTROL_SECRET: z.string().min(16).default(''),
  MEDIA_CAPACITY: positive.default(100),

  /** Calls of Twilio; off unless the token is set. */
  TWILIO_AUTH_TOKEN: z.string().min(16).optional(),
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC\w{32}$/)
    .default(''),
  /** The API, as Twilio reaches it. */
  TWILIO_PUBLIC_URL: bareUrl(/^https?$/).default(''),
  /** This media node's streams, as Twilio reaches them. */
  TWILIO_STREAM_URL: bareUrl(/^wss?$/).default(''),
  TWILIO_STREAM_HOST: z.string().min(1).default('127.0.0.1'),
  TWILIO_STREAM_PORT: port.default(8091),
  TWILIO_API_URL: bareUrl(/^https?$/).default('https://api.twilio.com'),

  /** 0: this worker makes no schedule. */
  JANITOR_INTERVAL_SECONDS: z.coerce.number().int().nonnegative().default(60),
});

/** What each process cannot do without, beyond DATABASE_URL and APP_ENV; the rest defaults to ''. */
const requiredBy = {
  migrate: [],
  api: ['TELEPHONY_WEBHOOK_SECRET', 'MEDIA_CONTROL_SECRET', 'DATA_ENCRYPTION_KEY', 'NUMBER_HASH_KEY'],
  worker: ['MEDIA_CONTROL_SECRET', 'DATA_ENCRYPTION_KEY', 'NUMBER_HASH_KEY'],
  media: ['MEDIA_CONTROL_SECRET', 'OPENAI_API_KEY', 'ARI_USERNAME', 'ARI_PASSWORD'],
  janitor: ['DATA_ENCRYPTION_KEY'],
} as const satisfies Record<string, readonly (keyof z.infer<typeof environment>)[]>;

export type ProcessName = keyof typeof requiredBy;

/** What calls of Twilio take besides, once TWILIO_AUTH_TOKEN is set. */
const requiredForTwilio: Partial<Record<ProcessName, readonly (keyof z.infer<typeof environment>)[]>> = {
  api: ['TWILIO_ACCOUNT_SID', 'TWILIO_PUBLIC_URL'],
  media: ['TWILIO_ACCOUNT_SID', 'TWILIO_PUBLIC_URL', 'TWILIO_STREAM_URL'],
};

/** Every key a process reads, for .env.example and its test. */
export const environmentKeys = Object.keys(environment.shape);

/** Named bounds that are not the operator's to tune; each has an error code in docs/errors.md. */
const limits = {
  requestBodyBytes: 65_536,
  /** Temporal's own limit for a message. */
  codecBodyBytes: 4_194_304,
  pageSize: 100,
  webhookUpdateMs: 1_500,
  planWaitMs: 5_000,
  channelWaitMs: 10_000,
  providerRetries: 2,
  llmMaxTokens: 150,
  replyMaxCharacters: 500,
  toolTimeoutMs: 10_000,
  toolsPerTurn: 4,
  bufferedEvents: 2_000,
} as const;

export type Limits = typeof limits;

function build(env: z.infer<typeof environment>) {
  return {
    appName: env.APP_NAME,
    appEnv: env.APP_ENV,
    debug: env.DEBUG,
    logLevel: env.DEBUG ? ('debug' as const) : env.LOG_LEVEL,
    databaseUrl: env.DATABASE_URL,
    databaseOwnerUrl: env.DATABASE_OWNER_URL ?? env.DATABASE_URL,
    redisUrl: env.REDIS_URL,
    api: { host: env.API_HOST, port: env.API_PORT },
    openai: { apiKey: env.OPENAI_API_KEY, baseUrl: env.OPENAI_BASE_URL },
    aiFallbacks: env.AI_FALLBACKS.map((each) => ({
      name: each.name,
      apiKey: each.api_key,
      baseUrl: each.base_url,
      models: { stt: each.stt_model ?? null, llm: each.llm_model ?? null, tts: each.tts_model ?? null, voice: each.tts_voice ?? null },
    })),
    models: { stt: env.STT_MODEL, llm: env.LLM_MODEL, tts: env.TTS_MODEL, voice: env.TTS_VOICE },
    providers: {
      sttTimeoutMs: env.STT_TIMEOUT_SECONDS * 1_000,
      llmTimeoutMs: env.LLM_TIMEOUT_SECONDS * 1_000,
      ttsTimeoutMs: env.TTS_TIMEOUT_SECONDS * 1_000,
    },
    ari: { url: env.ARI_URL, username: env.ARI_USERNAME, password: env.ARI_PASSWORD },
    conversation: {
      maxTurns: env.MAX_CONVERSATION_TURNS,
      maxDurationSeconds: env.MAX_CONVERSATION_DURATION_SECONDS,
      silenceReminderMs: env.SILENCE_REMINDER_SECONDS * 1_000,
      maxReminders: env.MAX_SILENCE_REMINDERS,
    },
    maxConcurrentCalls: env.MAX_CONCURRENT_CALLS,
    webhook: {
      secrets: [env.TELEPHONY_WEBHOOK_SECRET, env.TELEPHONY_WEBHOOK_SECRET_PREVIOUS].filter((s): s is string => s !== undefined),
      allowedAddresses: env.TELEPHONY_WEBHOOK_ALLOWED_ADDRESSES,
      maxAgeSeconds: env.TELEPHONY_WEBHOOK_MAX_AGE_SECONDS,
    },
    temporal: { address: env.TEMPORAL_ADDRESS, namespace: env.TEMPORAL_NAMESPACE, taskQueue: env.TEMPORAL_TASK_QUEUE },
    codec: { token: env.TEMPORAL_CODEC_TOKEN, origins: env.TEMPORAL_CODEC_ORIGINS },
    transferHosts: env.TRANSFER_ALLOWED_HOSTS,
    keys: {
      encryption: Buffer.from(env.DATA_ENCRYPTION_KEY, 'base64'),
      encryptionPrevious:
        env.DATA_ENCRYPTION_KEY_PREVIOUS === undefined ? undefined : Buffer.from(env.DATA_ENCRYPTION_KEY_PREVIOUS, 'base64'),
      numberHash: Buffer.from(env.NUMBER_HASH_KEY, 'base64'),
    },
    media: {
      nodeId: env.MEDIA_NODE_ID,
      controlHost: env.MEDIA_CONTROL_HOST,
      controlPort: env.MEDIA_CONTROL_PORT,
      controlSecret: env.MEDIA_CONTROL_SECRET,
      capacity: env.MEDIA_CAPACITY,
    },
    twilio:
      env.TWILIO_AUTH_TOKEN === undefined
        ? null
        : {
            authToken: env.TWILIO_AUTH_TOKEN,
            accountSid: env.TWILIO_ACCOUNT_SID,
            publicUrl: env.TWILIO_PUBLIC_URL,
            streamUrl: env.TWILIO_STREAM_URL,
            streamHost: env.TWILIO_STREAM_HOST,
            streamPort: env.TWILIO_STREAM_PORT,
            apiUrl: env.TWILIO_API_URL,
          },
    janitor: { everyMs: env.JANITOR_INTERVAL_SECONDS * 1_000 },
    limits,
  } as const;
}

export type Config = Readonly<ReturnType<typeof build>>;

/** @throws HoldfastError config_invalid, listing every bad key in `details.keys`. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, process: ProcessName): Config {
  // An empty value in .env means "not set", as everywhere else.
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(present);
  const invalid = parsed.success ? [] : parsed.error.issues.map((issue) => String(issue.path[0]));
  const required = [...requiredBy[process], ...('TWILIO_AUTH_TOKEN' in present ? (requiredForTwilio[process] ?? []) : [])];
  const missing = required.filter((key) => !(key in present));
  const keys = [...new Set([...invalid, ...missing])].sort();
  if (parsed.success && keys.length === 0) return Object.freeze(build(parsed.data));
  const state = keys.map((key) => `${key} (${key in present ? 'not valid' : 'missing'})`).join(', ');
  throw new HoldfastError('config_invalid', `Configuration is not usable: ${state}`, { details: { keys } });
}

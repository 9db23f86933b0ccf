/** What the environment provides instead of an embedded part. Pure. */
export interface External {
  readonly database?: { readonly appUrl: string; readonly ownerUrl: string };
  readonly redisUrl?: string;
  readonly temporal?: { readonly address: string; readonly namespace: string; readonly uiUrl: string };
  readonly ari?: { readonly url: string; readonly username: string; readonly password: string; /** host:port */ readonly sip: string };
  readonly openai?: { readonly apiKey: string; readonly baseUrl: string };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error when a part is only half described. */
export function externalParts(env: Environment): External {
  const { DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL, TEMPORAL_ADDRESS, OPENAI_API_KEY } = env as Record<string, string | undefined>;
  const ari = externalAri(env);
  return {
    ...(DATABASE_URL ? { database: { appUrl: DATABASE_URL, ownerUrl: DATABASE_OWNER_URL || DATABASE_URL } } : {}),
    ...(REDIS_URL ? { redisUrl: REDIS_URL } : {}),
    ...(TEMPORAL_ADDRESS ? { temporal: externalTemporal(TEMPORAL_ADDRESS, env) } : {}),
    ...(ari === undefined ? {} : { ari }),
    ...(OPENAI_API_KEY ? { openai: { apiKey: OPENAI_API_KEY, baseUrl: env['OPENAI_BASE_URL'] || 'https://api.openai.com/v1' } } : {}),
  };
}

function externalTemporal(address: string, env: Environment): NonNullable<External['temporal']> {
  const host = address.replace(/:\d+$/, '');
  return { address, namespace: env['TEMPORAL_NAMESPACE'] || 'default', uiUrl: env['HOLDFAST_TEMPORAL_UI_URL'] || `http://${host}:8233` };
}

function externalAri(env: Environment): External['ari'] {
  const { ARI_URL: url, ARI_USERNAME: username, ARI_PASSWORD: password } = env as Record<string, string | undefined>;
  if (!url && !username && !password) return undefined;
  if (!url || !username || !password) throw new Error('An Asterisk of your own needs all of ARI_URL, ARI_USERNAME and ARI_PASSWORD');
  return { url, username, password, sip: env['HOLDFAST_SIP_ADDRESS'] || `${new URL(url).hostname}:5060` };
}

/** The embedded AI server as a process: speaks OpenAI's wire format on loopback, needs no key and no internet. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { startChild, type Child, type Launch } from './child.ts';
import type { Parts } from './parts.ts';
import { freePort } from './ports.ts';

export interface EmbeddedAiOptions {
  readonly parts: Parts;
  readonly dir: string;
  readonly logFile: string;
  readonly port?: number;
  /** Default: startChild. */
  readonly launch?: Launch;
}

export interface EmbeddedAi extends Child {
  /** For OPENAI_BASE_URL, with /v1. */
  readonly baseUrl: string;
  /** Any key is accepted; this one says which server it is for. */
  readonly apiKey: string;
}

const entry = fileURLToPath(new URL('../../src/bin/embedded-ai.ts', import.meta.url));

export async function startEmbeddedAi(options: EmbeddedAiOptions): Promise<EmbeddedAi> {
  const port = await freePort(options.port ?? 8090);
  const url = `http://127.0.0.1:${port}`;
  const child = await (options.launch ?? startChild)({
    name: 'embedded AI',
    command: [process.execPath, entry],
    env: { PATH: process.env['PATH'], PORT: String(port), HOLDFAST_PARTS: JSON.stringify(options.parts), TMPDIR: options.dir },
    cwd: options.dir,
    logFile: options.logFile,
    ready: async () => (await fetch(`${url}/healthz`)).ok,
  });
  const apiKey = `embedded-${randomBytes(8).toString('hex')}`;
  return Object.defineProperties(child as EmbeddedAi, {
    baseUrl: { value: `${url}/v1`, enumerable: true },
    apiKey: { value: apiKey, enumerable: true },
  });
}

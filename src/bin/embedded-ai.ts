/**
 * The embedded AI server as a process: HOST (127.0.0.1), PORT (any free one), OPENAI_API_KEY
 * (optional: then it is asked for), TOKEN_DELAY_MS, and HOLDFAST_PARTS for flite and pocketsphinx.
 */
import { z } from 'zod';
import { startFlite } from '../providers/embedded/speech/flite.ts';
import { startRecognizer } from '../providers/embedded/recognition/recognizer.ts';
import { startEmbeddedServer } from '../providers/embedded/server.ts';

const command = z.array(z.string()).min(1);
const nativeParts = z.object({ flite: z.object({ command }), pocketsphinx: z.object({ command, modelDir: z.string() }) });

const environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  OPENAI_API_KEY: z.string().min(1).optional(),
  TOKEN_DELAY_MS: z.coerce.number().nonnegative().default(5),
  HOLDFAST_PARTS: z
    .string()
    .transform((text) => JSON.parse(text) as unknown)
    .pipe(nativeParts),
});

const EXIT_CONFIG = 78;
const parsed = environment.safeParse(process.env);
if (!parsed.success) {
  const keys = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))].join(', ');
  process.stderr.write(`embedded-ai: missing or not valid: ${keys}\n`);
  process.exit(EXIT_CONFIG);
}
const { HOST: host, PORT: port, OPENAI_API_KEY: apiKey, TOKEN_DELAY_MS: tokenDelayMs, HOLDFAST_PARTS: parts } = parsed.data;

const recognizer = await startRecognizer(parts.pocketsphinx);
const voices = await startFlite(parts.flite.command);
const server = await startEmbeddedServer({ host, port, apiKey, recognizer, voices, tokenDelayMs });
process.stdout.write(`embedded-ai: ready at ${server.baseUrl}\n`);

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  for (const part of [server, recognizer, voices]) await part[Symbol.asyncDispose]();
  process.exit(0);
};
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());

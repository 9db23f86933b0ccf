/** The three answers of OpenAI's wire format, at the pace of the script. */
import type { Exchange } from './exchange.ts';
import { pace, sentenceOf, TOKENS, TRANSCRIPT } from './script.ts';
import { sentences } from './sentences.ts';

const PROMPT_TOKENS = 50;
const usage = { prompt_tokens: PROMPT_TOKENS, completion_tokens: TOKENS.length, total_tokens: PROMPT_TOKENS + TOKENS.length };
const identity = { id: 'c1', created: 1, model: 'fake' };

/** POST /v1/audio/transcriptions: the words, once the upload is complete. */
export async function transcribe(exchange: Exchange): Promise<void> {
  const { atMs } = await exchange.body();
  if (!(await exchange.reached(atMs + pace.transcriptMs))) return;
  exchange.response.setHeader('content-type', 'application/json').end(JSON.stringify({ text: TRANSCRIPT }));
}

/** POST /v1/chat/completions: a token every ten milliseconds, or all at once when no stream is wanted. */
export async function complete(exchange: Exchange): Promise<void> {
  const { bytes, atMs } = await exchange.body();
  const { stream } = JSON.parse(bytes.toString()) as { stream?: boolean };
  return stream === true ? streamTokens(exchange, atMs) : wholeAnswer(exchange, atMs);
}

async function wholeAnswer(exchange: Exchange, atMs: number): Promise<void> {
  if (!(await exchange.reached(atMs + pace.firstTokenMs + pace.tokenMs * (TOKENS.length - 1)))) return;
  const message = { role: 'assistant', content: TOKENS.join('') };
  const body = { ...identity, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
  exchange.response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}

async function streamTokens(exchange: Exchange, atMs: number): Promise<void> {
  const { response } = exchange;
  response.setHeader('content-type', 'text/event-stream').setHeader('cache-control', 'no-cache').flushHeaders();
  for (const [index, content] of TOKENS.entries()) {
    if (!(await exchange.reached(atMs + pace.firstTokenMs + pace.tokenMs * index))) return;
    const delta = index === 0 ? { role: 'assistant', content } : { content };
    response.write(chunk([{ index: 0, delta, finish_reason: null }]));
  }
  response.end(`${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}${chunk([], usage)}data: [DONE]\n\n`);
}

const chunk = (choices: readonly object[], counted?: object): string =>
  `data: ${JSON.stringify({ ...identity, object: 'chat.completion.chunk', choices, ...(counted === undefined ? {} : { usage: counted }) })}\n\n`;

/** POST /v1/audio/speech: PCM, ten times as fast as it plays. */
export async function speak(exchange: Exchange): Promise<void> {
  const { bytes, atMs } = await exchange.body();
  const { input } = JSON.parse(bytes.toString()) as { input: string };
  const audio = sentences[sentenceOf(input)];
  exchange.response.setHeader('content-type', 'audio/pcm');
  for (let n = 0; n * pace.audioChunkBytes < audio.length; n++) {
    if (!(await exchange.reached(atMs + pace.firstAudioMs + n * pace.audioChunkMs))) return;
    exchange.response.write(audio.subarray(n * pace.audioChunkBytes, (n + 1) * pace.audioChunkBytes));
  }
  exchange.response.end();
}

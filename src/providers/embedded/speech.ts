/** POST /v1/audio/speech */
import { z } from 'zod';
import { wavHeader } from '../wav.ts';
import { readJson, write, type Endpoint, type Exchange } from './http.ts';
import { resample } from './resample.ts';
import { voiceFor, type FliteVoice, type Voices } from './speech/flite.ts';
import { normaliseLevel } from './speech/level.ts';
import { splitSentences } from './speech/sentences.ts';
import { trimSilence } from './speech/silence.ts';

/** OpenAI's own limits. */
const MAX_INPUT_CHARACTERS = 4_096;
const MAX_BODY_BYTES = 65_536;
const SAMPLE_RATE = 24_000;
const SILENCE = { beforeMs: 20, afterMs: 60 };
/** Breath between two sentences of one request. */
const BETWEEN_SENTENCES_MS = 180;

const speechRequest = z.object({
  model: z.string().min(1).max(200),
  input: z.string().min(1).max(MAX_INPUT_CHARACTERS),
  voice: z.union([z.string().min(1).max(100), z.object({ id: z.string().max(100) })]),
  response_format: z.enum(['pcm', 'wav'], 'this server makes pcm and wav only').default('wav'),
  speed: z.literal(1, 'this server speaks at speed 1 only').optional(),
});

export function createSpeech(voices: Voices): Endpoint {
  return async (exchange) => {
    const { request, response, signal } = exchange;
    const body = await readJson(request, speechRequest, MAX_BODY_BYTES);
    const voice = voiceFor(typeof body.voice === 'string' ? body.voice : body.voice.id);
    const type = body.response_format === 'pcm' ? 'audio/pcm' : 'audio/wav';
    const sentences = splitSentences(body.input);
    // The first sentence is made before the headers go out, so that a failure is still a status.
    let audio =
      sentences[0] === undefined ? silence(BETWEEN_SENTENCES_MS) : await synthesise(voices, { sentence: sentences[0], voice, signal });
    response.writeHead(200, { 'content-type': type, 'transfer-encoding': 'chunked' });
    if (body.response_format === 'wav') await write(exchange, wavHeader(SAMPLE_RATE));
    for (const sentence of sentences.slice(1)) {
      const next = synthesise(voices, { sentence, voice, signal });
      // Made while the one before is sent; a failure is met below, not as an unhandled rejection.
      next.catch(() => undefined);
      await send(exchange, audio);
      await send(exchange, silence(BETWEEN_SENTENCES_MS));
      audio = await next;
    }
    await send(exchange, audio);
    response.end();
  };
}

async function synthesise(voices: Voices, request: { sentence: string; voice: FliteVoice; signal: AbortSignal }): Promise<Int16Array> {
  const { pcm, sampleRate } = await voices.speak(request.sentence, request.voice, request.signal);
  return resample(normaliseLevel(trimSilence(pcm, sampleRate, SILENCE)), sampleRate, SAMPLE_RATE);
}

const silence = (ms: number): Int16Array => new Int16Array((SAMPLE_RATE * ms) / 1_000);

/** In pieces of 100 ms: a client that hangs up in the middle of a sentence stops it. */
async function send(exchange: Exchange, pcm: Int16Array): Promise<void> {
  const bytes = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  const piece = SAMPLE_RATE / 5;
  for (let at = 0; at < bytes.length; at += piece) await write(exchange, bytes.subarray(at, at + piece));
}

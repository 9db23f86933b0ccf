/**
 * Synthesised fixed phrases, kept: the same words in the same voice cost one request, and what the
 * caller hears when TTS is down ("Audio issues, please hold.") must be there before it goes down.
 */
import type { TextToSpeech } from '../providers/ports.ts';
import { withRetries } from '../lib/retry.ts';
import { HoldfastError } from '../domain/errors.ts';
import { Resampler } from './audio/resampler.ts';

/** Greetings and phrases of all voices in use; the least recently used one goes first. */
const MAX_CACHED = 500;

export interface PhraseRequest {
  readonly text: string;
  readonly model: string;
  readonly voice: string;
  readonly sampleRate: number;
}

export class PhraseAudio {
  readonly #tts: TextToSpeech;
  readonly #policy: { readonly retries: number; readonly timeoutMs: number };
  readonly #cache = new Map<string, Promise<Int16Array>>();

  constructor(tts: TextToSpeech, policy: { readonly retries: number; readonly timeoutMs: number }) {
    this.#tts = tts;
    this.#policy = policy;
  }

  /** @throws HoldfastError tts_failed; a failure is not kept. */
  get(request: PhraseRequest): Promise<Int16Array> {
    const key = JSON.stringify([request.model, request.voice, request.sampleRate, request.text]);
    const cached = this.#cache.get(key);
    this.#cache.delete(key);
    const audio = cached ?? this.#synthesize(request);
    this.#cache.set(key, audio);
    if (this.#cache.size > MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value as string);
    audio.catch(() => {
      if (this.#cache.get(key) === audio) this.#cache.delete(key);
    });
    return audio;
  }

  async #synthesize(request: PhraseRequest): Promise<Int16Array> {
    const onTimeout = () => new HoldfastError('tts_failed', 'Speech synthesis took too long', { retryable: true });
    return withRetries({ ...this.#policy, onTimeout, signal: new AbortController().signal }, async (signal) => {
      const resampler = new Resampler(this.#tts.sampleRate, request.sampleRate);
      const chunks: Int16Array[] = [];
      for await (const pcm of this.#tts.synthesize({ text: request.text, model: request.model, voice: request.voice, signal })) {
        chunks.push(resampler.process(pcm));
      }
      const whole = new Int16Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
      let at = 0;
      for (const chunk of chunks) {
        whole.set(chunk, at);
        at += chunk.length;
      }
      return whole;
    });
  }
}

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

/** A phrase in the right voice is waited for so long where the same words are there in another one. */
const RIGHT_VOICE_WITHIN_MS = 1_000;

interface Kept {
  readonly request: PhraseRequest;
  readonly audio: Promise<Int16Array>;
  /** null while it is being synthesised. */
  ready: Int16Array | null;
}

export class PhraseAudio {
  readonly #tts: TextToSpeech;
  readonly #policy: { readonly retries: number; readonly timeoutMs: number };
  readonly #cache = new Map<string, Kept>();

  constructor(tts: TextToSpeech, policy: { readonly retries: number; readonly timeoutMs: number }) {
    this.#tts = tts;
    this.#policy = policy;
  }

  /** @throws HoldfastError tts_failed; a failure is not kept. */
  get(request: PhraseRequest): Promise<Int16Array> {
    const key = keyOf(request);
    const kept = this.#cache.get(key) ?? this.#keep(key, request);
    // The one used last goes last.
    this.#cache.delete(key);
    this.#cache.set(key, kept);
    if (this.#cache.size > MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value as string);
    return kept.audio;
  }

  /** What needs no provider any more: in the voice asked for, else the same words in another one; else null. */
  ready(request: PhraseRequest): Int16Array | null {
    const own = this.#cache.get(keyOf(request))?.ready;
    if (own !== undefined && own !== null) return own;
    for (const { request: other, ready } of this.#cache.values()) {
      if (ready !== null && other.text === request.text && other.sampleRate === request.sampleRate) return ready;
    }
    return null;
  }

  /**
   * For words that are said because something fails: what is there beats what is right.
   * @throws HoldfastError tts_failed when the words are there in no voice.
   */
  async soon(request: PhraseRequest): Promise<Int16Array> {
    const own = this.get(request);
    const instead = this.ready(request);
    if (instead === null) return own;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Int16Array>((resolve) => (timer = setTimeout(resolve, RIGHT_VOICE_WITHIN_MS, instead)));
    return Promise.race([own.catch(() => instead), late]).finally(() => clearTimeout(timer));
  }

  #keep(key: string, request: PhraseRequest): Kept {
    const kept: Kept = { request, audio: this.#synthesize(request), ready: null };
    kept.audio.then(
      (audio) => (kept.ready = audio),
      () => this.#cache.get(key) === kept && this.#cache.delete(key),
    );
    return kept;
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

const keyOf = ({ model, voice, sampleRate, text }: PhraseRequest): string => JSON.stringify([model, voice, sampleRate, text]);

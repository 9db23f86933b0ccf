import type OpenAI from 'openai';
import type { SynthesizeRequest, TextToSpeech } from '../ports.ts';
import { brokenReply, fail } from './failure.ts';
import { PcmJoiner } from './pcm-joiner.ts';

/** Raw PCM, streamed: no container to parse and the first byte is already sound. */
export class OpenAITextToSpeech implements TextToSpeech {
  /** OpenAI's pcm format is 24 kHz, mono, signed 16-bit little-endian. */
  readonly sampleRate = 24_000;
  readonly #api: OpenAI;

  constructor(api: OpenAI) {
    this.#api = api;
  }

  /** @throws HoldfastError tts_failed, or the signal's reason. */
  async *synthesize(request: SynthesizeRequest): AsyncIterable<Int16Array> {
    const { text, model, voice, signal } = request;
    signal.throwIfAborted();
    const joiner = new PcmJoiner();
    // Leaving the loop early (barge-in) must close the connection too.
    const left = new AbortController();
    try {
      const response = await this.#api.audio.speech.create(
        { input: text, model, voice, response_format: 'pcm' },
        { signal: AbortSignal.any([signal, left.signal]) },
      );
      if (/json|text/.test(response.headers.get('content-type') ?? '') || response.body === null) {
        throw brokenReply('tts_failed', 'sent something that is not audio');
      }
      for await (const bytes of response.body) {
        const pcm = joiner.push(bytes);
        if (pcm.length > 0) yield pcm;
      }
      if (joiner.halfSample || joiner.samples === 0) throw brokenReply('tts_failed', 'sent audio that is cut short');
    } catch (error) {
      fail('tts_failed', error, signal);
    } finally {
      left.abort();
    }
  }
}

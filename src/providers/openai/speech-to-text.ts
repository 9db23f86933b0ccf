import type OpenAI from 'openai';
import type { SpeechToText, TranscribeRequest } from '../ports.ts';
import { encodeWav } from '../wav.ts';
import { brokenReply, fail } from './failure.ts';

/** The API refuses less; nobody says anything in that time. */
const SHORTEST_SECONDS = 0.1;

/** Transcription of one utterance: a WAV built in memory, posted as multipart/form-data. */
export class OpenAISpeechToText implements SpeechToText {
  readonly #api: OpenAI;

  constructor(api: OpenAI) {
    this.#api = api;
  }

  /** @throws HoldfastError stt_failed, or the signal's reason. */
  async transcribe(request: TranscribeRequest): Promise<string> {
    const { signal, model } = request;
    signal.throwIfAborted();
    if (request.pcm.length < request.sampleRate * SHORTEST_SECONDS) return '';
    // The API wants ISO 639-1, the plan speaks BCP 47.
    const language = request.language.split('-')[0]?.toLowerCase() ?? 'en';
    const file = new File([encodeWav(request)], 'speech.wav', { type: 'audio/wav' });
    try {
      const reply: { text?: unknown } = await this.#api.audio.transcriptions.create(
        { file, model, language, response_format: 'json' },
        { signal },
      );
      if (typeof reply?.text !== 'string') throw brokenReply('stt_failed', 'sent a transcription without text');
      return reply.text.trim();
    } catch (error) {
      return fail('stt_failed', error, signal);
    }
  }
}

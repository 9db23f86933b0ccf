/** The caller's side: audio in → speech edges, and the words of an utterance on request. */
import { HoldfastError } from '../domain/errors.ts';
import { withRetries } from '../lib/retry.ts';
import type { SpeechToText } from '../providers/ports.ts';
import { Resampler } from './audio/resampler.ts';
import { UtteranceBuffer } from './audio/utterance-buffer.ts';
import { abortable } from './abortable.ts';
import { passGate, silentGate, type SpeechEdge } from './vad/speech-gate.ts';
import type { VoiceDetector, VoiceStream } from './vad/voice-detector.ts';
import { VAD_WINDOW_MS, VAD_WINDOW_SAMPLES } from './vad/window.ts';

const VAD_RATE = 8_000;

export interface EarsOptions {
  readonly sampleRate: 8000 | 16000;
  readonly detector: VoiceDetector;
  readonly stt: SpeechToText;
  readonly model: string;
  readonly language: string;
  readonly policy: { readonly retries: number; readonly timeoutMs: number };
  /** ms since the call was answered. */
  readonly now: () => number;
  /** sinceMs is in the time of `now`. */
  readonly onEdge: (edge: SpeechEdge) => void;
  readonly signal: AbortSignal;
}

export class Ears {
  readonly #options: EarsOptions;
  readonly #resampler: Resampler;
  readonly #utterance: UtteranceBuffer;
  readonly #vad: VoiceStream;
  readonly #window = new Float32Array(VAD_WINDOW_SAMPLES);
  #filled = 0;
  /** Windows whose probability has come back. */
  #judged = 0;
  /** ms of audio received; the leg has filled the gaps. */
  #heardMs = 0;
  #gate = silentGate;
  /** Speech of the utterance in progress, ms of audio. */
  #speechMs = 0;
  #speechStartedMs: number | null = null;

  constructor(options: EarsOptions) {
    this.#options = options;
    this.#resampler = new Resampler(options.sampleRate, VAD_RATE);
    this.#utterance = new UtteranceBuffer(options.sampleRate);
    this.#vad = options.detector.open((probability) => this.#onProbability(probability));
  }

  hear(pcm: Int16Array): void {
    this.#utterance.push(pcm);
    this.#heardMs += (pcm.length * 1_000) / this.#options.sampleRate;
    for (const sample of this.#resampler.process(pcm)) {
      this.#window[this.#filled++] = sample / 32_768;
      if (this.#filled < VAD_WINDOW_SAMPLES) continue;
      this.#filled = 0;
      this.#vad.push(this.#window);
    }
  }

  openUtterance(): void {
    this.#utterance.open();
  }

  closeUtterance(): void {
    this.#utterance.close();
    this.#speechMs = 0;
  }

  /** @throws HoldfastError stt_failed after the retries. */
  async transcribe(): Promise<{ text: string; tookMs: number; seconds: number }> {
    const { stt, model, language, sampleRate, policy, signal } = this.#options;
    const pcm = this.#utterance.snapshot();
    const speechMs = this.#speechMs;
    const startedAt = performance.now();
    const onTimeout = () => new HoldfastError('stt_failed', 'Transcription took too long', { retryable: true });
    const text = await withRetries({ ...policy, onTimeout, signal }, (attempt) =>
      abortable(stt.transcribe({ pcm, sampleRate, model, language, speechMs, signal: attempt }), attempt),
    );
    return { text, tookMs: performance.now() - startedAt, seconds: pcm.length / sampleRate };
  }

  close(): void {
    this.#vad.close();
  }

  #onProbability(probability: number): void {
    const startMs = this.#judged * VAD_WINDOW_MS;
    this.#judged++;
    const [gate, edge] = passGate(this.#gate, { probability, startMs, endMs: startMs + VAD_WINDOW_MS });
    this.#gate = gate;
    if (edge === null) return;
    if (edge.type === 'speech_started') this.#speechStartedMs = edge.sinceMs;
    else this.#speechMs += edge.sinceMs - (this.#speechStartedMs ?? edge.sinceMs);
    // Audio time → call time: so much audio has come in since the edge.
    const agoMs = Math.max(0, this.#heardMs - edge.sinceMs);
    this.#options.onEdge({ ...edge, sinceMs: this.#options.now() - agoMs });
  }
}

import type { SpeechToText, TranscribeRequest } from '../ports.ts';
import { firstToProduce, type Win } from './race.ts';
import type { Stage } from './stage.ts';

/** So much speech by the voice detector is more than a cough; an empty transcript of it is suspect. */
export const DEAF_AFTER_SPEECH_MS = 800;

/**
 * Recognition with the watchdog for a deaf provider: when the voice detector has heard speech and the
 * transcript is empty, the same audio goes to the next provider (or once more to the only one, as a
 * new request) before the caller is asked to repeat.
 */
export class FailoverSpeechToText implements SpeechToText {
  readonly #stage: Stage<SpeechToText>;

  constructor(stage: Stage<SpeechToText>) {
    this.#stage = stage;
  }

  /** @throws HoldfastError stt_failed, or the signal's reason. */
  async transcribe(request: TranscribeRequest): Promise<string> {
    const first = await this.#ask(request, new Set());
    if (first.result !== '' || (request.speechMs ?? 0) < DEAF_AFTER_SPEECH_MS) return first.result;
    // A failure now is no worse than the empty transcript: the caller is asked to repeat.
    const again = await this.#ask(request, new Set([first.member.name])).catch(() => null);
    request.signal.throwIfAborted();
    if (again === null || again.result === '') return '';
    this.#stage.deaf(first.member, again.member);
    return again.result;
  }

  async #ask(request: TranscribeRequest, avoid: Set<string>): Promise<Win<SpeechToText, string>> {
    const win = await firstToProduce(this.#stage, {
      work: { avoid, by: null },
      signal: request.signal,
      open: ({ provider, model }, signal) => provider.transcribe({ ...request, model: model ?? request.model, signal }),
    });
    // An empty answer proves nothing: only words show that a provider is well.
    if (win.result !== '') this.#stage.succeeded(win.member);
    return win;
  }
}

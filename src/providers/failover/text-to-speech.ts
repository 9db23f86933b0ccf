import type { SynthesizeRequest, TextToSpeech } from '../ports.ts';
import type { Stage } from './stage.ts';
import { hedgedStream } from './stream.ts';

/** Speaks with the winner's voice; who that is, the request's `work.by` tells. */
export class FailoverTextToSpeech implements TextToSpeech {
  readonly sampleRate: number;
  readonly #stage: Stage<TextToSpeech>;

  /** @throws Error when the providers' rates differ: half a sentence cannot change its rate. */
  constructor(stage: Stage<TextToSpeech>) {
    const rates = new Set(stage.members.map(({ provider }) => provider.sampleRate));
    if (rates.size !== 1) throw new Error('All providers of speech must have one sample rate');
    [this.sampleRate = 0] = rates;
    this.#stage = stage;
  }

  /** @throws HoldfastError tts_failed, or the signal's reason. */
  synthesize(request: SynthesizeRequest): AsyncIterable<Int16Array> {
    return hedgedStream(this.#stage, {
      work: request.work,
      signal: request.signal,
      open: ({ provider, model, voice }, signal) =>
        provider.synthesize({ ...request, model: model ?? request.model, voice: voice ?? request.voice, signal }),
      begins: () => true,
    });
  }
}

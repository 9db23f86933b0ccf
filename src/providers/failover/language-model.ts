import type { ChatDelta, ChatRequest, LanguageModel } from '../ports.ts';
import type { Stage } from './stage.ts';
import { hedgedStream } from './stream.ts';

/** Tool calls come from the winner's stream only: a hedge never doubles one. */
export class FailoverLanguageModel implements LanguageModel {
  readonly #stage: Stage<LanguageModel>;

  constructor(stage: Stage<LanguageModel>) {
    this.#stage = stage;
  }

  /** @throws HoldfastError llm_failed, or the signal's reason. */
  stream(request: ChatRequest): AsyncIterable<ChatDelta> {
    return hedgedStream(this.#stage, {
      work: request.work,
      signal: request.signal,
      open: ({ provider, model }, signal) => provider.stream({ ...request, model: model ?? request.model, signal }),
      begins: (delta) => delta.kind !== 'usage',
    });
  }
}

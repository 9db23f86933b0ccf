import type { CallUsage } from '../contracts/checkpoint.ts';

/** What a call consumed at its vendors. */
export class UsageMeter {
  #sttSeconds = 0;
  #promptTokens = 0;
  #completionTokens = 0;
  #characters = 0;

  /** @param before what the call had consumed at a former node. */
  constructor(before?: CallUsage) {
    if (before === undefined) return;
    this.#sttSeconds = before.sttSeconds;
    this.#promptTokens = before.llmPromptTokens;
    this.#completionTokens = before.llmCompletionTokens;
    this.#characters = before.ttsCharacters;
  }

  audio(seconds: number): void {
    this.#sttSeconds += seconds;
  }

  tokens(prompt: number, completion: number): void {
    this.#promptTokens += prompt;
    this.#completionTokens += completion;
  }

  characters(count: number): void {
    this.#characters += count;
  }

  total(): CallUsage {
    return {
      sttSeconds: Math.round(this.#sttSeconds * 1_000) / 1_000,
      llmPromptTokens: this.#promptTokens,
      llmCompletionTokens: this.#completionTokens,
      ttsCharacters: this.#characters,
    };
  }
}

import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { ToolCall } from '../ports.ts';
import { brokenReply } from './failure.ts';

type ToolCallDelta = ChatCompletionChunk.Choice.Delta.ToolCall;

/** More than a turn of talk can need; a model that raves is cut off. */
const MAX_CALLS = 32;
const MAX_ARGUMENT_CHARACTERS = 16_000;

/**
 * A tool call arrives in pieces: id and name first, then its JSON text a few characters at a time.
 * Pieces belong together by `index`; several calls may be interleaved.
 */
export class ToolCallAssembler {
  readonly #byIndex = new Map<number, { id: string; name: string; arguments: string }>();

  push(deltas: readonly ToolCallDelta[]): void {
    for (const delta of deltas) {
      const call = this.#byIndex.get(delta.index) ?? { id: '', name: '', arguments: '' };
      this.#byIndex.set(delta.index, call);
      if (delta.id) call.id = delta.id;
      if (delta.function?.name) call.name = delta.function.name;
      call.arguments += delta.function?.arguments ?? '';
      if (this.#byIndex.size > MAX_CALLS || call.arguments.length > MAX_ARGUMENT_CHARACTERS) {
        throw brokenReply('llm_failed', 'wrote more tool calls than a turn may hold');
      }
    }
  }

  /** The calls in the model's order. @throws HoldfastError llm_failed when one lacks its id or name. */
  finish(): ToolCall[] {
    const calls = [...this.#byIndex.entries()].sort(([a], [b]) => a - b).map(([, call]) => call);
    if (calls.some((call) => call.id === '' || call.name === '')) throw brokenReply('llm_failed', 'left a tool call incomplete');
    return calls;
  }
}

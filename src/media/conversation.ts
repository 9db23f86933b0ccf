/** The talk so far, as the language model reads it. The agent's side holds what was heard, not what was meant. */
import type { TurnRecord } from '../contracts/turn.ts';
import type { ChatMessage, ToolCall } from '../providers/ports.ts';

type Entry =
  | { kind: 'caller'; text: string }
  | { kind: 'agent'; text: string }
  | { kind: 'tools'; said: string; calls: readonly ToolCall[]; results: Map<string, string> };

export class Conversation {
  readonly #systemPrompt: string;
  readonly #entries: Entry[];

  constructor(systemPrompt: string, transcript: readonly TurnRecord[]) {
    this.#systemPrompt = systemPrompt;
    this.#entries = transcript.filter((turn) => turn.heardText !== '').map((turn): Entry => ({ kind: turn.speaker, text: turn.heardText }));
  }

  /** @param merged the words replace the latest caller turn, which they include. */
  callerSaid(text: string, merged: boolean): void {
    const latest = merged ? this.#entries.findLast((entry) => entry.kind === 'caller') : undefined;
    if (latest !== undefined && latest.kind === 'caller') latest.text = text;
    else this.#entries.push({ kind: 'caller', text });
  }

  agentSaid(heard: string): void {
    if (heard !== '') this.#entries.push({ kind: 'agent', text: heard });
  }

  /** @returns a function that files a result; it may be called after the reply was cut: tools survive a barge-in. */
  toolsCalled(said: string, calls: readonly ToolCall[]): (callId: string, content: string) => void {
    const results = new Map<string, string>();
    this.#entries.push({ kind: 'tools', said, calls, results });
    return (callId, content) => results.set(callId, content);
  }

  messages(): ChatMessage[] {
    return [{ role: 'system', content: this.#systemPrompt }, ...this.#entries.flatMap(messagesOf)];
  }
}

function messagesOf(entry: Entry): ChatMessage[] {
  if (entry.kind === 'caller') return [{ role: 'user', content: entry.text }];
  if (entry.kind === 'agent') return [{ role: 'assistant', content: entry.text }];
  return [
    { role: 'assistant', content: entry.said, toolCalls: entry.calls },
    ...entry.calls.map((call): ChatMessage => ({
      role: 'tool',
      toolCallId: call.id,
      // Vendors refuse a history in which a call has no result.
      content: entry.results.get(call.id) ?? '{"status":"pending"}',
    })),
  ];
}

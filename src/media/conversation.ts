/** The talk so far, as the language model reads it. The agent's side holds what was heard, not what was meant. */
import type { ToolRound } from '../contracts/checkpoint.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import type { ChatMessage, ToolCall } from '../providers/ports.ts';

type Entry =
  | { kind: 'caller'; text: string }
  | { kind: 'agent'; text: string }
  | { kind: 'tools'; said: string; calls: readonly ToolCall[]; results: Map<string, string> };

export interface ConversationOptions {
  readonly systemPrompt: string;
  readonly transcript: readonly TurnRecord[];
  /** Tools that ran before a take-over, filed where they happened. */
  readonly rounds?: readonly ToolRound[];
  /** Tools were called, or one of them has a result now. */
  readonly onTools?: (round: {
    readonly id: number;
    readonly calls: readonly ToolCall[];
    readonly results: ReadonlyMap<string, string>;
  }) => void;
}

export class Conversation {
  readonly #systemPrompt: string;
  readonly #entries: Entry[];
  readonly #onTools: NonNullable<ConversationOptions['onTools']>;
  #nextRound: number;

  constructor({ systemPrompt, transcript, rounds = [], onTools = () => undefined }: ConversationOptions) {
    this.#systemPrompt = systemPrompt;
    this.#onTools = onTools;
    this.#nextRound = (rounds.at(-1)?.id ?? -1) + 1;
    const waiting = [...rounds];
    this.#entries = [];
    for (const turn of transcript) {
      while ((waiting[0]?.before ?? Infinity) <= turn.sequence) this.#entries.push(toolEntry(waiting.shift() as ToolRound));
      if (turn.heardText !== '') this.#entries.push({ kind: turn.speaker, text: turn.heardText });
    }
    this.#entries.push(...waiting.map(toolEntry));
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
    const id = this.#nextRound++;
    const results = new Map<string, string>();
    this.#entries.push({ kind: 'tools', said, calls, results });
    this.#onTools({ id, calls, results });
    return (callId, content) => {
      results.set(callId, content);
      this.#onTools({ id, calls, results });
    };
  }

  /** Asks for what still has no result: tools that were running when the former node died. Their keys make it the same errand. */
  async fetchMissing(run: (call: ToolCall) => Promise<{ readonly content: string }>): Promise<void> {
    for (const entry of this.#entries) {
      if (entry.kind !== 'tools') continue;
      const missing = entry.calls.filter((call) => !entry.results.has(call.id));
      await Promise.all(missing.map(async (call) => entry.results.set(call.id, (await run(call)).content)));
    }
  }

  messages(): ChatMessage[] {
    return [{ role: 'system', content: this.#systemPrompt }, ...this.#entries.flatMap(messagesOf)];
  }
}

/** What was said before the tools is in the turn's record already. */
function toolEntry({ calls }: ToolRound): Entry {
  const results = new Map(calls.flatMap(({ id, result }) => (result === null ? [] : [[id, result] as const])));
  return { kind: 'tools', said: '', calls: calls.map(({ id, name, arguments: text }) => ({ id, name, arguments: text })), results };
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

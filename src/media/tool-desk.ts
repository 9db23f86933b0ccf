/**
 * Tool calls on their way to the worker and back. A side effect is keyed by call, turn and index;
 * within a turn the same tool with the same arguments is one side effect, also when an answer has to
 * be generated again, by this node or by the one that takes over.
 */
import type { ToolRound } from '../contracts/checkpoint.ts';
import type { CallEvent, ToolResult } from '../contracts/media-control.ts';
import type { ToolCall } from '../providers/ports.ts';

export interface ToolDeskOptions {
  readonly emit: (event: CallEvent) => void;
  readonly timeoutMs: number;
  /** What a former node has sent on its way. */
  readonly rounds: readonly ToolRound[];
}

interface Errand {
  readonly promise: Promise<ToolResult>;
  readonly resolve: (result: ToolResult) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

export class ToolDesk {
  readonly #options: ToolDeskOptions;
  readonly #errands = new Map<string, Errand>();
  /** turn + name + arguments → key. */
  readonly #keys = new Map<string, string>();
  #turn = -1;
  #index = 0;
  #closed = false;

  constructor(options: ToolDeskOptions) {
    this.#options = options;
    for (const { turn, calls } of options.rounds) {
      for (const call of calls) {
        this.#keys.set(identityOf(turn, call), call.key);
        if (call.result !== null) this.#errands.set(call.key, settled({ key: call.key, ok: true, content: call.result }));
        this.#turn = turn;
        this.#index = Math.max(this.#index, Number(call.key.split(':')[1] ?? 0) + 1);
      }
    }
  }

  /** The key under which a call runs, now or later. */
  keyOf(turn: number, call: ToolCall): string {
    const identity = identityOf(turn, call);
    const known = this.#keys.get(identity);
    if (known !== undefined) return known;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#index = 0;
    }
    const key = `${turn}:${this.#index++}`;
    this.#keys.set(identity, key);
    return key;
  }

  /** Never rejects: a tool that fails or is late is a result that says so. */
  run(turn: number, call: ToolCall): Promise<ToolResult> {
    const key = this.keyOf(turn, call);
    const known = this.#errands.get(key);
    if (known !== undefined) return known.promise;
    const { promise, resolve } = Promise.withResolvers<ToolResult>();
    if (this.#closed) return Promise.resolve(unavailable(key));
    const timer = setTimeout(() => resolve(unavailable(key)), this.#options.timeoutMs);
    this.#errands.set(key, { promise, resolve, timer });
    const index = Number(key.split(':')[1]);
    this.#options.emit({ kind: 'tool_call', key, turn, index, name: call.name, arguments: call.arguments });
    return promise;
  }

  settle(result: ToolResult): void {
    const errand = this.#errands.get(result.key);
    if (errand === undefined) return;
    clearTimeout(errand.timer);
    errand.resolve(result);
  }

  close(): void {
    this.#closed = true;
    for (const [key, errand] of this.#errands) {
      clearTimeout(errand.timer);
      errand.resolve(unavailable(key));
    }
  }
}

function identityOf(turn: number, call: { readonly name: string; readonly arguments: string }): string {
  return JSON.stringify([turn, call.name, call.arguments]);
}

function settled(result: ToolResult): Errand {
  return { promise: Promise.resolve(result), resolve: () => undefined, timer: undefined };
}

function unavailable(key: string): ToolResult {
  return { key, ok: false, content: JSON.stringify({ error: 'The tool gave no answer in time.' }) };
}

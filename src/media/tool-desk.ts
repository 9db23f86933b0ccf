/**
 * Tool calls on their way to the worker and back. A side effect is keyed by call, turn and index;
 * within a turn the same tool with the same arguments is one side effect, also when an answer has to
 * be generated again.
 */
import type { CallEvent, ToolResult } from '../contracts/media-control.ts';
import type { ToolCall } from '../providers/ports.ts';

export interface ToolDeskOptions {
  readonly emit: (event: CallEvent) => void;
  readonly timeoutMs: number;
}

interface Errand {
  readonly promise: Promise<ToolResult>;
  readonly resolve: (result: ToolResult) => void;
  readonly timer: NodeJS.Timeout;
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
  }

  /** Never rejects: a tool that fails or is late is a result that says so. */
  run(turn: number, call: ToolCall): Promise<ToolResult> {
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#index = 0;
    }
    const identity = JSON.stringify([turn, call.name, call.arguments]);
    const known = this.#errands.get(this.#keys.get(identity) ?? '');
    if (known !== undefined) return known.promise;
    const index = this.#index++;
    const key = `${turn}:${index}`;
    const { promise, resolve } = Promise.withResolvers<ToolResult>();
    if (this.#closed) return Promise.resolve(unavailable(key));
    const timer = setTimeout(() => resolve(unavailable(key)), this.#options.timeoutMs);
    this.#keys.set(identity, key);
    this.#errands.set(key, { promise, resolve, timer });
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

function unavailable(key: string): ToolResult {
  return { key, ok: false, content: JSON.stringify({ error: 'The tool gave no answer in time.' }) };
}

/** Tool calls of one conversation: each runs once here, whatever the media node repeats, and always gets an answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallEvent, ToolResult } from '../contracts/media-control.ts';
import { errorFacts } from '../telemetry.ts';
import type { ActivityDeps } from './deps.ts';

export type ToolCallEvent = Extract<CallEvent, { kind: 'tool_call' }>;

const CONTENT_CHARACTERS = 8_000;

export class ToolRunner {
  readonly #deps: Pick<ActivityDeps, 'runTool' | 'limits' | 'logger'>;
  readonly #call: { readonly callId: string; readonly tenantId: string };
  /** By key. A talk has a few dozen at most: turns and tools per turn are limited. */
  readonly #answers = new Map<string, Promise<ToolResult>>();

  constructor(deps: Pick<ActivityDeps, 'runTool' | 'limits' | 'logger'>, call: { callId: string; tenantId: string }) {
    this.#deps = deps;
    this.#call = { callId: call.callId, tenantId: call.tenantId };
  }

  /** Never rejects. The same key gets the same answer, so a model never hears two stories. */
  run(event: ToolCallEvent): Promise<ToolResult> {
    const known = this.#answers.get(event.key);
    if (known !== undefined) return known;
    const answer = this.#answer(event);
    this.#answers.set(event.key, answer);
    return answer;
  }

  /** Resolves when nothing runs any more, or after timeoutMs. */
  async idle(timeoutMs: number): Promise<void> {
    const timeUp = new AbortController();
    await Promise.race([
      Promise.all(this.#answers.values()),
      sleep(timeoutMs, undefined, { signal: timeUp.signal }).catch(() => undefined),
    ]);
    timeUp.abort();
  }

  async #answer({ key, name, arguments: text }: ToolCallEvent): Promise<ToolResult> {
    const { logger, limits } = this.#deps;
    const timeUp = new AbortController();
    const late = sleep(limits.toolTimeoutMs, failed('timeout'), { signal: timeUp.signal }).catch(() => failed('timeout'));
    const work = this.#deps.runTool({ ...this.#call, key, name, arguments: text }).catch((error: unknown) => {
      logger.warn({ callId: this.#call.callId, key, tool: name, ...errorFacts(error) }, 'tool failed');
      return failed('unavailable');
    });
    const { ok, content } = await Promise.race([work, late]);
    timeUp.abort();
    // Cut JSON is not JSON: a flood becomes an error that the model can read.
    return { key, ...(content.length > CONTENT_CHARACTERS ? failed('result_too_long') : { ok, content }) };
  }
}

function failed(error: string): { ok: false; content: string } {
  return { ok: false, content: JSON.stringify({ error }) };
}

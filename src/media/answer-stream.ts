/** The language model's stream for one round of an answer: retried until its first piece, then watched. */
import { HoldfastError } from '../domain/errors.ts';
import { withRetries } from '../lib/retry.ts';
import type { ChatDelta, ChatMessage, ChatRequest, LanguageModel, Work } from '../providers/ports.ts';
import { abortable } from './abortable.ts';

/** Behind the system prompt: models differ in what they take after an answer that is not finished. */
const CONTINUE =
  '\n\nYour latest answer broke off. Its beginning, the last message here, has been said to the caller: go on right behind it and repeat none of it.';

export interface AnswerRequest extends Omit<ChatRequest, 'signal' | 'work'> {
  readonly llm: LanguageModel;
  readonly work: Work;
  readonly policy: { readonly retries: number; readonly timeoutMs: number };
  readonly signal: AbortSignal;
}

/** The messages for what follows the words that were spoken already. */
export function continuing(messages: readonly ChatMessage[], spoken: readonly string[]): ChatMessage[] {
  if (spoken.length === 0) return [...messages];
  const [system, ...rest] = messages;
  const told: ChatMessage[] = system?.role === 'system' ? [{ role: 'system', content: system.content + CONTINUE }, ...rest] : [...messages];
  return [...told, { role: 'assistant', content: spoken.join(' ') }];
}

/**
 * Resolves with the first piece; the stage's time limit covers the wait for it, over all tries, and
 * then each wait for the next one.
 * @throws HoldfastError llm_failed, or the signal's reason.
 */
export async function openAnswer(request: AnswerRequest): Promise<AsyncIterable<ChatDelta>> {
  const { llm, policy, signal, ...chat } = request;
  const onTimeout = () => new HoldfastError('llm_failed', 'The language model took too long', { retryable: true });
  return withRetries({ ...policy, onTimeout, signal }, async (attempt) => {
    const stream = new AbortController();
    const iterator = llm.stream({ ...chat, signal: AbortSignal.any([signal, stream.signal]) })[Symbol.asyncIterator]();
    const next = async (limit: AbortSignal) => {
      try {
        return await abortable(iterator.next(), limit);
      } catch (error) {
        stream.abort(error);
        throw limit.aborted && !signal.aborted ? onTimeout() : error;
      }
    };
    const first = await next(attempt);
    return (async function* () {
      for (let item = first; item.done !== true; item = await next(AbortSignal.any([signal, AbortSignal.timeout(policy.timeoutMs)])))
        yield item.value;
    })();
  });
}

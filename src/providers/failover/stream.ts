/** A stream that is won by its first piece, and watched for the gaps between the others. */
import type { Work } from '../ports.ts';
import { afterPending, firstToProduce } from './race.ts';
import type { Member, Stage } from './stage.ts';

export interface StreamRequest<P, T> {
  readonly work: Work | undefined;
  readonly signal: AbortSignal;
  readonly open: (member: Member<P>, signal: AbortSignal) => AsyncIterable<T>;
  /** What counts as a beginning; a tally alone does not. */
  readonly begins: (item: T) => boolean;
}

interface Opened<T> {
  /** Everything up to the first piece; all of it when there was none. */
  readonly head: readonly T[];
  readonly rest: AsyncIterator<T> | null;
}

/**
 * The winner's stream, and only that one. Its name is in `work.by` before its first piece is given.
 * @throws the stage's error, also when a gap was too long, or the signal's reason.
 */
export async function* hedgedStream<P, T>(stage: Stage<P>, request: StreamRequest<P, T>): AsyncGenerator<T> {
  const { signal, work } = request;
  const win = await firstToProduce<P, Opened<T>>(stage, {
    work,
    signal,
    open: (member, attempt) => openStream(request.open(member, attempt), request.begins),
    discard: ({ rest }) => void rest?.return?.().catch(() => undefined),
  });
  const { member, result, abort } = win;
  if (work !== undefined) work.by = member.name;
  let broken: unknown;
  try {
    yield* result.head;
    if (result.rest === null) return;
    for (;;) {
      const item = await nextWithin(stage, member, { rest: result.rest, signal });
      if (item.done === true) return;
      yield item.value;
    }
  } catch (error) {
    broken = error;
    throw error;
  } finally {
    // A reader who leaves has found nothing wrong with the stream.
    if (broken === undefined) stage.succeeded(member);
    else if (!signal.aborted) stage.brokeOff(member, broken);
    abort.abort(new Error('no longer needed'));
    result.rest?.return?.().catch(() => undefined);
  }
}

async function openStream<T>(stream: AsyncIterable<T>, begins: (item: T) => boolean): Promise<Opened<T>> {
  const rest = stream[Symbol.asyncIterator]();
  const head: T[] = [];
  for (;;) {
    const item = await rest.next();
    if (item.done === true) return { head, rest: null };
    head.push(item.value);
    if (begins(item.value)) return { head, rest };
  }
}

/** Only the time that is spent waiting here counts: the reader may take as long as it likes between two pieces. */
async function nextWithin<P, T>(
  stage: Stage<P>,
  member: Member<P>,
  { rest, signal }: { rest: AsyncIterator<T>; signal: AbortSignal },
): Promise<IteratorResult<T>> {
  const askedMs = performance.now();
  const next = rest.next();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = afterPending(stage.gapLimitMs(member), () => reject(stage.timeout('stopped in the middle of its stream')));
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    const item = await Promise.race([next, limit]);
    member.gaps.note(performance.now() - askedMs, performance.now());
    return item;
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

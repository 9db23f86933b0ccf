/**
 * One answer: language model → clauses → speech → playback, with the tools it calls on the way.
 * The model's stream waits in its socket while a clause is synthesised, and synthesis runs ahead of
 * playback, so a plain loop is the pipeline.
 */
import { HoldfastError } from '../domain/errors.ts';
import { withRetries } from '../lib/retry.ts';
import type { ToolResult } from '../contracts/media-control.ts';
import type { CallPlan } from '../contracts/call-plan.ts';
import type { TurnLatencies } from '../contracts/turn.ts';
import type { ChatDelta, Providers, ToolCall } from '../providers/ports.ts';
import { Resampler } from './audio/resampler.ts';
import { ClauseSplitter } from './clauses.ts';
import type { Conversation } from './conversation.ts';
import { FILLER, FILLER_AFTER_MS } from './phrases.ts';
import type { Playback } from './playback.ts';
import type { UsageMeter } from './usage.ts';

export interface ReplyPolicy {
  readonly retries: number;
  readonly llmTimeoutMs: number;
  readonly ttsTimeoutMs: number;
  readonly maxTokens: number;
  readonly maxCharacters: number;
  /** Per answer: rounds with tools, and tools in one round. */
  readonly maxTools: number;
}

export interface ReplyContext {
  readonly plan: CallPlan;
  readonly providers: Providers;
  readonly playback: Playback;
  readonly sampleRate: number;
  readonly conversation: Conversation;
  readonly policy: ReplyPolicy;
  readonly usage: UsageMeter;
  /** Runs a tool outside the node; never rejects. */
  readonly runTool: (call: ToolCall) => Promise<ToolResult>;
  readonly onEndCall: () => void;
  readonly signal: AbortSignal;
}

export interface Reply {
  /** All the agent meant to say. */
  text: string;
  /** Segments of playback before this one belong to rounds already filed with their tools. */
  firstSegment: number;
  endCall: boolean;
  readonly latencies: TurnLatencies;
}

const DEFAULT_GOODBYE = 'Thank you for calling. Goodbye!';

/**
 * Speaks the answer; resolves when everything has been handed to playback. `reply` is filled as it
 * goes, so that a cut or failed answer can still be recorded.
 * @throws HoldfastError llm_failed or tts_failed, or the signal's reason.
 */
export async function speakReply(context: ReplyContext, reply: Reply): Promise<void> {
  for (let round = 0; round <= context.policy.maxTools; round++) {
    const said = reply.text;
    const calls = await speakRound(context, reply, round === context.policy.maxTools);
    if (calls.length === 0) break;
    if (calls.some((call) => call.name === 'end_call')) {
      reply.endCall = true;
      context.onEndCall();
    }
    const file = context.conversation.toolsCalled(reply.text.slice(said.length).trim(), calls);
    reply.firstSegment = context.playback.segmentCount;
    // The results are filed even when the caller interrupts: what was booked stays booked.
    const results = Promise.all(calls.map(async (call) => file(call.id, (await context.runTool(call)).content)));
    if (calls.every((call) => call.name === 'end_call')) break;
    await waitForTools(context, results, reply);
  }
  if (reply.endCall && reply.text.trim() === '') await speakClause(context, reply, DEFAULT_GOODBYE);
}

async function waitForTools(context: ReplyContext, results: Promise<unknown>, reply: Reply): Promise<void> {
  const slow = Symbol('slow');
  const done = abortable(results, context.signal);
  let timer: NodeJS.Timeout | undefined;
  const first = await Promise.race([done, new Promise((resolve) => (timer = setTimeout(resolve, FILLER_AFTER_MS, slow)))]);
  clearTimeout(timer);
  if (first !== slow) return;
  await speakClause(context, reply, FILLER).catch(() => undefined);
  await done;
}

/** One request to the model; what it says is spoken as it comes. */
async function speakRound(context: ReplyContext, reply: Reply, last: boolean): Promise<readonly ToolCall[]> {
  const { policy } = context;
  const requestedAt = performance.now();
  const calls: ToolCall[] = [];
  const splitter = new ClauseSplitter(policy.maxCharacters);
  const stream = await firstDelta(context, last);
  note(reply.latencies, 'llmFirstTokenMs', performance.now() - requestedAt);
  for await (const delta of stream) {
    context.signal.throwIfAborted();
    if (delta.kind === 'usage') context.usage.tokens(delta.promptTokens, delta.completionTokens);
    if (delta.kind === 'tool_calls') calls.push(...delta.calls.slice(0, policy.maxTools - calls.length));
    if (delta.kind !== 'text' || splitter.full) continue;
    for (const clause of splitter.push(delta.text)) {
      note(reply.latencies, 'llmFirstClauseMs', performance.now() - requestedAt);
      await speakClause(context, reply, clause);
    }
  }
  for (const clause of splitter.end()) {
    note(reply.latencies, 'llmFirstClauseMs', performance.now() - requestedAt);
    await speakClause(context, reply, clause);
  }
  return calls;
}

/**
 * Retries only until the first delta: words that were spoken are not taken back. The stage's time
 * limit covers the wait for that delta, then each wait for the next one.
 */
async function firstDelta(context: ReplyContext, last: boolean): Promise<AsyncIterable<ChatDelta>> {
  const { policy, plan, providers, signal } = context;
  const onTimeout = () => new HoldfastError('llm_failed', 'The language model took too long', { retryable: true });
  const messages = context.conversation.messages();
  return withRetries({ retries: policy.retries, timeoutMs: policy.llmTimeoutMs, onTimeout, signal }, async (attempt) => {
    const stream = new AbortController();
    const tools = last ? [] : plan.tools;
    const request = {
      model: plan.models.llm,
      messages,
      tools,
      maxTokens: policy.maxTokens,
      signal: AbortSignal.any([signal, stream.signal]),
    };
    const iterator = providers.llm.stream(request)[Symbol.asyncIterator]();
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
      for (let item = first; item.done !== true; item = await next(AbortSignal.any([signal, AbortSignal.timeout(policy.llmTimeoutMs)])))
        yield item.value;
    })();
  });
}

/** Synthesises one clause into playback; a retry skips the audio that the caller already has. */
async function speakClause(context: ReplyContext, reply: Reply, clause: string): Promise<void> {
  const { policy, plan, providers, playback, sampleRate, signal } = context;
  reply.text = reply.text === '' ? clause : `${reply.text} ${clause}`;
  const requestedAt = performance.now();
  const segment = playback.segment(clause);
  const onTimeout = () => new HoldfastError('tts_failed', 'Speech synthesis took too long', { retryable: true });
  await withRetries({ retries: policy.retries, timeoutMs: policy.ttsTimeoutMs, onTimeout, signal }, async (attempt) => {
    const resampler = new Resampler(providers.tts.sampleRate, sampleRate);
    let skip = segment.samples;
    for await (const pcm of abortableStream(
      providers.tts.synthesize({ text: clause, model: plan.models.tts, voice: plan.agent.voice, signal: attempt }),
      attempt,
    )) {
      note(reply.latencies, 'ttsFirstByteMs', performance.now() - requestedAt);
      const audio = resampler.process(pcm);
      const fresh = audio.subarray(Math.min(skip, audio.length));
      skip -= audio.length - fresh.length;
      if (fresh.length > 0) segment.write(fresh);
    }
  });
  context.usage.characters(clause.length);
  segment.finish();
}

async function* abortableStream<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const item = await abortable(iterator.next(), signal);
    if (item.done === true) return;
    yield item.value;
  }
}

/** A vendor's stream may ignore its signal; the caller on the phone does not wait for it. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    return Promise.reject(signal.reason as Error);
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Keeps the first value: a turn's figure is that of its first round and first clause. */
function note(latencies: TurnLatencies, key: keyof TurnLatencies, valueMs: number): void {
  latencies[key] ??= Math.round(valueMs);
}

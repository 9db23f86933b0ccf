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
import type { ChatDelta, Providers, ToolCall, Work } from '../providers/ports.ts';
import { abortable, abortableStream } from './abortable.ts';
import { continuing, openAnswer } from './answer-stream.ts';
import { Resampler } from './audio/resampler.ts';
import { ClauseAudio } from './clause-audio.ts';
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
  await context.conversation.fetchMissing(context.runTool);
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

/** One thing the model says or asks for, over as many streams as it takes. */
interface Round {
  readonly last: boolean;
  readonly requestedAt: number;
  readonly work: Work;
  /** Clauses that the caller hears; a stream that breaks off is continued behind them. */
  readonly spoken: string[];
}

async function speakRound(context: ReplyContext, reply: Reply, last: boolean): Promise<readonly ToolCall[]> {
  const round: Round = { last, requestedAt: performance.now(), work: { avoid: new Set(), by: null }, spoken: [] };
  for (let brokenOff = 0; ; brokenOff++) {
    const stream = await open(context, round);
    note(reply.latencies, 'llmFirstTokenMs', performance.now() - round.requestedAt);
    try {
      return await speakStream(context, reply, { ...round, stream });
    } catch (error) {
      context.signal.throwIfAborted();
      const again = error instanceof HoldfastError && error.code === 'llm_failed' && error.retryable && brokenOff < context.policy.retries;
      if (!again) throw error;
      if (round.work.by !== null) round.work.avoid.add(round.work.by);
    }
  }
}

function open({ conversation, policy, plan, providers, signal }: ReplyContext, round: Round): Promise<AsyncIterable<ChatDelta>> {
  return openAnswer({
    llm: providers.llm,
    model: plan.models.llm,
    messages: continuing(conversation.messages(), round.spoken),
    tools: round.last ? [] : plan.tools,
    maxTokens: policy.maxTokens,
    work: round.work,
    policy: { retries: policy.retries, timeoutMs: policy.llmTimeoutMs },
    signal,
  });
}

/** What one stream says is spoken as it comes. Half a clause at its broken end is dropped: the next stream says it whole. */
async function speakStream(
  context: ReplyContext,
  reply: Reply,
  { spoken, requestedAt, stream }: Round & { readonly stream: AsyncIterable<ChatDelta> },
): Promise<readonly ToolCall[]> {
  const { policy } = context;
  const calls: ToolCall[] = [];
  const heardBefore = new Set(spoken.map(bare));
  const splitter = new ClauseSplitter(policy.maxCharacters - spoken.join(' ').length);
  const speak = async (clauses: readonly string[]) => {
    for (const clause of clauses) {
      // Some models begin their answer anew, whatever they are told.
      if (heardBefore.has(bare(clause))) continue;
      heardBefore.clear();
      note(reply.latencies, 'llmFirstClauseMs', performance.now() - requestedAt);
      await speakClause(context, reply, clause);
      spoken.push(clause);
    }
  };
  for await (const delta of stream) {
    context.signal.throwIfAborted();
    if (delta.kind === 'usage') context.usage.tokens(delta.promptTokens, delta.completionTokens);
    if (delta.kind === 'tool_calls') calls.push(...delta.calls.slice(0, policy.maxTools - calls.length));
    if (delta.kind === 'text' && !splitter.full) await speak(splitter.push(delta.text));
  }
  await speak(splitter.end());
  return calls;
}

/** A clause as it is compared: models differ in commas and capitals when they say the same again. */
const bare = (clause: string): string =>
  clause
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** Synthesises one clause into playback, on whichever provider comes to its end. */
export async function speakClause(context: ReplyContext, reply: Reply, clause: string): Promise<void> {
  const { policy, plan, providers, playback, sampleRate, signal } = context;
  reply.text = reply.text === '' ? clause : `${reply.text} ${clause}`;
  const requestedAt = performance.now();
  const audio = new ClauseAudio(playback, clause);
  const work: Work = { avoid: new Set(), by: null };
  let brokenOff = 0;
  const onTimeout = () => new HoldfastError('tts_failed', 'Speech synthesis took too long', { retryable: true });
  await withRetries({ retries: policy.retries, timeoutMs: policy.ttsTimeoutMs, onTimeout, signal }, async (attempt) => {
    const resampler = new Resampler(providers.tts.sampleRate, sampleRate);
    const request = { text: clause, model: plan.models.tts, voice: plan.agent.voice, work, signal: attempt };
    let begun = false;
    try {
      for await (const pcm of abortableStream(providers.tts.synthesize(request), attempt)) {
        note(reply.latencies, 'ttsFirstByteMs', performance.now() - requestedAt);
        if (!begun) audio.begin(work.by);
        begun = true;
        audio.write(resampler.process(pcm));
      }
    } catch (error) {
      // Once the same voice may go on where it broke off, unheard; then another one has to begin again.
      if (begun && ++brokenOff > 1 && work.by !== null) work.avoid.add(work.by);
      throw error;
    }
  });
  context.usage.characters(clause.length);
  audio.finish();
}

/** Keeps the first value: a turn's figure is that of its first round and first clause. */
function note(latencies: TurnLatencies, key: keyof TurnLatencies, valueMs: number): void {
  latencies[key] ??= Math.round(valueMs);
}

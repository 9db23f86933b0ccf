/**
 * The three things Holdfast buys from a vendor. One folder per vendor implements them; no other
 * file names a vendor. Every call takes an AbortSignal and stops at once when it fires.
 * Failures are HoldfastError with code stt_failed, llm_failed or tts_failed and `retryable` set.
 */
import type { ToolSpec } from '../contracts/call-plan.ts';

/**
 * One piece of work (an answer, a clause) that may take several requests. Whoever asks keeps it; the
 * fail-over between providers reads and fills it, a single provider ignores it.
 */
export interface Work {
  /** Names of providers that have failed at this work: asked last. */
  readonly avoid: Set<string>;
  /** Who gives what is being received. */
  by: string | null;
}

export interface TranscribeRequest {
  /** Mono, signed 16-bit. */
  readonly pcm: Int16Array;
  readonly sampleRate: 8000 | 16000;
  readonly model: string;
  /** BCP 47. */
  readonly language: string;
  /** How much of it is speech, by the voice detector: an empty transcript of much speech is not believed. */
  readonly speechMs?: number;
  readonly signal: AbortSignal;
}

export interface SpeechToText {
  /** Empty string when nothing was understood. */
  transcribe(request: TranscribeRequest): Promise<string>;
}

export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly toolCallId: string; readonly content: string };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as the model wrote it. */
  readonly arguments: string;
}

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolSpec[];
  readonly maxTokens: number;
  readonly work?: Work;
  readonly signal: AbortSignal;
}

export type ChatDelta =
  | { readonly kind: 'text'; readonly text: string }
  /** A sign of life: the model is writing a tool call, which is given when it is complete. */
  | { readonly kind: 'progress' }
  /** Complete calls, after the model has finished writing them. */
  | { readonly kind: 'tool_calls'; readonly calls: readonly ToolCall[] }
  | { readonly kind: 'usage'; readonly promptTokens: number; readonly completionTokens: number };

export interface LanguageModel {
  /** A stream that ends without a finish reason throws llm_failed (retryable). */
  stream(request: ChatRequest): AsyncIterable<ChatDelta>;
}

export interface SynthesizeRequest {
  readonly text: string;
  readonly model: string;
  readonly voice: string;
  readonly work?: Work;
  readonly signal: AbortSignal;
}

export interface TextToSpeech {
  /** Rate of the PCM that synthesize yields, Hz (OpenAI's pcm format: 24000). */
  readonly sampleRate: number;
  /** Signed 16-bit little-endian mono, in chunks of any (even) size; a stream cut short throws tts_failed. */
  synthesize(request: SynthesizeRequest): AsyncIterable<Int16Array>;
}

export interface Providers {
  readonly stt: SpeechToText;
  readonly llm: LanguageModel;
  readonly tts: TextToSpeech;
}

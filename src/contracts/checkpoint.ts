/**
 * Where a talk stands, told by its media node while it goes on, so that another node can go on in the
 * middle of a sentence. It changes several times a turn and stays small: finished turns are records of
 * their own (turn.ts).
 */
import { z } from 'zod';
import { dispositions } from '../domain/call.ts';

export const callUsage = z.object({
  sttSeconds: z.number().nonnegative(),
  llmPromptTokens: z.int().nonnegative(),
  llmCompletionTokens: z.int().nonnegative(),
  ttsCharacters: z.int().nonnegative(),
});
export type CallUsage = z.infer<typeof callUsage>;

/** What the agent is saying. */
export const speech = z.object({
  /** An answer of the model, or a fixed sentence. */
  isReply: z.boolean(),
  /** As far as it is known: a model may still be writing. */
  text: z.string().max(20_000),
  /** Nothing will be added to the text. */
  complete: z.boolean(),
  /** Index into `text`: where the sentence begins that the caller is hearing now. */
  sentenceAt: z.int().nonnegative(),
  /** Index into `text`: how far the caller has heard it, to a word; precise only while the text is not complete. Absent at nodes of version 0.1. */
  heardTo: z.int().nonnegative().default(0),
  /** Anything of it was heard. */
  audible: z.boolean(),
  /** ISO 8601: when the caller began to hear it. */
  startedAt: z.iso.datetime(),
  /** The call ends behind it. */
  endCall: z.boolean(),
});
export type SpeechPoint = z.infer<typeof speech>;

export const floors = ['nobody', 'caller', 'thinking', 'agent'] as const;

export const checkpoint = z.object({
  /** ISO 8601. */
  answeredAt: z.iso.datetime(),
  /** Whose move it is; `thinking`: the caller waits for an answer. */
  floor: z.enum(floors),
  speech: speech.nullable(),
  /** What follows the present sentence: an answer is generated again, or the caller is listened to. */
  afterSaying: z.enum(['listen', 'retry', 'transfer']),
  /** The caller's words of a turn that has not been committed yet. */
  text: z.string().max(20_000),
  /** The caller's words that wait for an audible answer. */
  unanswered: z.string().max(20_000),
  turns: z.int().nonnegative(),
  reminders: z.int().nonnegative(),
  endCallRequested: z.boolean(),
  /** Set once the goodbye has begun. */
  ending: z.object({ disposition: z.enum(dispositions), reason: z.string().max(100) }).nullable(),
  /** What operators wish and has not happened yet, and the ids of all their wishes; absent at nodes of version 0.1. */
  toSay: z.array(z.string().max(500)).max(10).default([]),
  transferTo: z.string().max(400).nullable().default(null),
  steered: z.array(z.string().max(200)).max(50).default([]),
  /** The caller is in the PBX's hands, on the way to somebody else. */
  transferring: z.boolean().default(false),
  /** Sequence of the next turn record. */
  nextSequence: z.int().nonnegative(),
  usage: callUsage,
});
export type Checkpoint = z.infer<typeof checkpoint>;

/** Tools that the model called in one go, with their results: part of what the model has to remember. */
export const toolRound = z.object({
  /** Counts the rounds of a call from 0. */
  id: z.int().nonnegative(),
  /** Caller turn in which it happened; side effects are keyed by it. */
  turn: z.int().nonnegative(),
  /** It happened before the turn record with this sequence. */
  before: z.int().nonnegative(),
  calls: z
    .array(
      z.object({
        id: z.string().max(200),
        name: z.string().max(100),
        arguments: z.string().max(16_000),
        /** Key of the side effect; see the tool_call event. */
        key: z.string().min(1).max(200),
        /** What the model reads; null while it runs. */
        result: z.string().max(8_000).nullable(),
      }),
    )
    .max(20),
});
export type ToolRound = z.infer<typeof toolRound>;

/** What a node is given that takes a call over; the turns so far are the plan's transcript. */
export const resumePoint = z.object({
  /** Null: the former node died before it had said where it stood. */
  checkpoint: checkpoint.nullable(),
  rounds: z.array(toolRound).max(200),
});
export type ResumePoint = z.infer<typeof resumePoint>;

import { z } from 'zod';
import { speakers } from '../domain/call.ts';

/** Milliseconds each stage of an answer took; absent where a stage did not happen. */
export const turnLatencies = z.object({
  /** True end of the caller's speech (by VAD) → end of turn decided. */
  endOfTurnMs: z.number().nonnegative().optional(),
  /** Request → final transcript. */
  sttMs: z.number().nonnegative().optional(),
  /** Request → first token. */
  llmFirstTokenMs: z.number().nonnegative().optional(),
  /** Request → first clause complete. */
  llmFirstClauseMs: z.number().nonnegative().optional(),
  /** Request → first audio byte. */
  ttsFirstByteMs: z.number().nonnegative().optional(),
  /** True end of the caller's speech → first audio of the answer sent to the leg. */
  responseMs: z.number().nonnegative().optional(),
});
export type TurnLatencies = z.infer<typeof turnLatencies>;

/** One utterance of one side. `sequence` counts both sides' utterances from 0. */
export const turnRecord = z.object({
  sequence: z.int().nonnegative(),
  speaker: z.enum(speakers),
  /** What was said (caller: the transcript; agent: the whole text it meant to say). */
  text: z.string().max(20_000),
  /** Agent: the part the caller heard, by playback marks. Caller: what the STT heard (same as text). */
  heardText: z.string().max(20_000),
  interrupted: z.boolean(),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  latencies: turnLatencies,
});
export type TurnRecord = z.infer<typeof turnRecord>;

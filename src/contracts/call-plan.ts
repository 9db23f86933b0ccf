import { z } from 'zod';
import { profileRoles, toolNames } from '../domain/call.ts';
import { turnRecord } from './turn.ts';

/** One tool as the language model sees it (JSON Schema parameters, OpenAI's shape). */
export const toolSpec = z.object({
  name: z.enum(toolNames),
  description: z.string(),
  parameters: z.record(z.string(), z.unknown()),
});
export type ToolSpec = z.infer<typeof toolSpec>;

/** Everything a media node needs to hold one conversation; it reads no database. */
export const callPlan = z.object({
  callId: z.uuid(),
  tenantId: z.uuid(),
  /** Asterisk's channel id of the caller's leg. */
  channelId: z.string().min(1).max(150),
  agent: z.object({
    role: z.enum(profileRoles),
    /** Spoken first. */
    greeting: z.string().min(1).max(500),
    systemPrompt: z.string().min(1).max(20_000),
    /** BCP 47. */
    language: z.string().min(2).max(35),
    voice: z.string().min(1).max(100),
  }),
  models: z.object({ stt: z.string().min(1), llm: z.string().min(1), tts: z.string().min(1) }),
  tools: z.array(toolSpec).max(20),
  limits: z.object({
    /** Caller turns. */
    maxTurns: z.int().positive(),
    maxDurationSeconds: z.int().positive(),
    /** Silence after the agent has spoken before it asks whether the caller is there. */
    silenceReminderMs: z.int().positive(),
    /** Reminders before the goodbye. */
    maxReminders: z.int().nonnegative(),
  }),
  /** Turns so far: empty on a fresh call, what was said before on a takeover. */
  transcript: z.array(turnRecord).max(500),
});
export type CallPlan = z.infer<typeof callPlan>;

/**
 * The control socket between the `converse` activity (client) and a media node (server): one
 * WebSocket per call, path /control, bearer token in the Authorization header, JSON text frames.
 *
 *   worker                                media node
 *     ── start {plan, epoch, resumeAfter,       new session; re-attach when the node has the call; with
 *               instance, resume} ──▶           a higher epoch, a take-over from another node
 *     ◀── event {seq, event} ──                 ordered from 1, kept until acknowledged
 *     ── ack {seq} ──▶                          this and every earlier event is durable; `ended` is never
 *                                               acknowledged: the node keeps it for two minutes, for a
 *                                               worker that comes after one whose result was lost
 *     ── tool_result {key, …} ──▶
 *     ── hangup {reason} ──▶                    an operator ends the call, politely
 *     ◀── memory {checkpoint, rounds} ──        where the talk stands, for the next node: newest wins
 *     ◀── handover ──                           the node is leaving: give this call to another one
 *     ◀── beat ──                               every CONTROL_BEAT_MS while the session lives
 *     ◀── refused {code, message} ──            then the node closes the socket
 *
 * A second socket, opened for one wish of an operator, does not start anything:
 *
 *     ── command {callId, epoch, id, command} ─▶  once per id; the node must hold the call
 *     ◀── done {id} ──                          the agent will do it as soon as it may speak, or refused */
import { z } from 'zod';
import { callStates, dispositions } from '../domain/call.ts';
import { errorCodes } from '../domain/errors.ts';
import { callPlan } from './call-plan.ts';
import { callUsage, checkpoint, resumePoint, toolRound } from './checkpoint.ts';
import { steerCommand } from './steering.ts';
import { turnRecord } from './turn.ts';

export const CONTROL_PATH = '/control';
export const CONTROL_BEAT_MS = 250;
/** Largest frame either side accepts; a plan with a long transcript fits easily. */
export const CONTROL_MAX_PAYLOAD_BYTES = 1_048_576;

export const toolResult = z.object({
  key: z.string().min(1).max(200),
  ok: z.boolean(),
  /** What the language model reads, JSON text; bounded so that a tool cannot flood the prompt. */
  content: z.string().max(8_000),
});
export type ToolResult = z.infer<typeof toolResult>;

export const workerMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    plan: callPlan,
    epoch: z.int().positive(),
    resumeAfter: z.int().nonnegative(),
    /** Which process was meant (MediaNode.instance): another one at the same address does not know the call. */
    instance: z.string().min(1).max(40),
    /** Set when the call is taken over in the middle. */
    resume: resumePoint.nullable(),
  }),
  z.object({ type: z.literal('ack'), seq: z.int().positive() }),
  toolResult.extend({ type: z.literal('tool_result') }),
  z.object({ type: z.literal('hangup'), reason: z.string().max(200) }),
  z.object({
    type: z.literal('command'),
    callId: z.uuid(),
    /** As far as the sender was told; the node's own may be higher. */
    epoch: z.int().positive(),
    id: z.string().min(1).max(200),
    command: steerCommand,
  }),
]);
export type WorkerMessage = z.infer<typeof workerMessage>;

export const callEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('answered'), at: z.iso.datetime() }),
  z.object({ kind: z.literal('state'), state: z.enum(callStates) }),
  z.object({ kind: z.literal('turn'), turn: turnRecord }),
  /** `key` = "{turn}:{index}": the side effect is keyed by call, turn and index. */
  z.object({
    kind: z.literal('tool_call'),
    key: z.string().min(1).max(200),
    turn: z.int().nonnegative(),
    index: z.int().nonnegative(),
    name: z.string().max(100),
    /** JSON text as the model wrote it; the worker validates. */
    arguments: z.string().max(16_000),
  }),
  z.object({
    kind: z.literal('ended'),
    at: z.iso.datetime(),
    disposition: z.enum(dispositions),
    /** Short machine-readable cause, e.g. "end_call", "hangup", "stt_failed". Never words of the talk. */
    reason: z.string().max(100),
    usage: callUsage,
  }),
]);
export type CallEvent = z.infer<typeof callEvent>;

export const nodeMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('event'), seq: z.int().positive(), event: callEvent }),
  z.object({ type: z.literal('memory'), checkpoint: checkpoint.nullable(), rounds: z.array(toolRound).max(200) }),
  z.object({ type: z.literal('handover') }),
  z.object({ type: z.literal('done'), id: z.string() }),
  z.object({ type: z.literal('beat') }),
  z.object({ type: z.literal('refused'), code: z.enum(errorCodes), message: z.string() }),
]);
export type NodeMessage = z.infer<typeof nodeMessage>;

/**
 * A media node that speaks the control protocol for real and a script instead of a conversation:
 * events are numbered, kept until acknowledged and repeated after a re-attach; sessions outlive
 * their socket; an older epoch is refused; beats while a session lives.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { CallPlan } from '../../src/contracts/call-plan.ts';
import type { Checkpoint, ResumePoint, ToolRound } from '../../src/contracts/checkpoint.ts';
import {
  CONTROL_BEAT_MS,
  CONTROL_PATH,
  workerMessage,
  type CallEvent,
  type NodeMessage,
  type ToolResult,
  type WorkerMessage,
} from '../../src/contracts/media-control.ts';
import type { MediaNode } from '../../src/contracts/media-node.ts';
import type { Disposition, Speaker } from '../../src/domain/call.ts';
import type { SteerCommand } from '../../src/domain/steering.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { mediaNodeOf } from './media-node.ts';

export const CONTROL_SECRET = 'control-secret-for-tests';

export class ScriptedSession {
  readonly plan: CallPlan;
  readonly epoch: number;
  /** Null for a call that begins here. */
  readonly resume: ResumePoint | null;
  readonly acknowledged: number[] = [];
  readonly results: ToolResult[] = [];
  readonly hangups: string[] = [];
  /** Operators' wishes, each once. */
  readonly commands = new Map<string, SteerCommand>();
  /** How many sockets have attached so far. */
  attachments = 0;
  /** The talk has ended; its `ended` stays, for whoever comes again. */
  over = false;
  #log: { seq: number; event: CallEvent }[] = [];
  #next = 1;
  #sequence = 0;
  #socket: WebSocket | null = null;
  /** Replaced, but still open: as at a real node, only beats go there. */
  readonly #replaced = new Set<WebSocket>();
  #waiters: (() => void)[] = [];

  constructor({ plan, epoch, resume }: { plan: CallPlan; epoch: number; resume: ResumePoint | null }) {
    this.plan = plan;
    this.epoch = epoch;
    this.resume = resume;
    this.#sequence = plan.transcript.length;
  }

  get unacknowledged(): number {
    return this.#log.length;
  }

  get attached(): boolean {
    return this.#socket !== null;
  }

  attach(socket: WebSocket, resumeAfter: number): void {
    if (this.#socket !== null) this.#replaced.add(this.#socket);
    this.#socket = socket;
    this.attachments += 1;
    this.#forget(resumeAfter);
    for (const entry of this.#log) this.#send({ type: 'event', ...entry });
    this.#changed();
  }

  detach(socket: WebSocket): void {
    if (this.#socket === socket) this.#socket = null;
    this.#replaced.delete(socket);
    this.#changed();
  }

  dropSocket(): void {
    this.#socket?.terminate();
  }

  emit(event: CallEvent): void {
    const entry = { seq: this.#next++, event };
    this.#log.push(entry);
    this.#send({ type: 'event', ...entry });
  }

  /** One utterance. */
  say(speaker: Speaker, text: string, extra: { interrupted?: boolean; responseMs?: number } = {}): void {
    const at = new Date().toISOString();
    const latencies = extra.responseMs === undefined ? {} : { responseMs: extra.responseMs };
    const interrupted = extra.interrupted ?? false;
    const turn = { sequence: this.#sequence++, speaker, text, heardText: text, interrupted, startedAt: at, endedAt: at, latencies };
    this.emit({ kind: 'turn', turn });
  }

  remember(checkpoint: Checkpoint, rounds: readonly ToolRound[] = []): void {
    this.#send({ type: 'memory', checkpoint, rounds: [...rounds] });
  }

  /** As a node that got SIGTERM: it goes on until another one has the call. */
  askForHandover(): void {
    this.#send({ type: 'handover' });
  }

  answer(): void {
    this.emit({ kind: 'answered', at: new Date().toISOString() });
    this.emit({ kind: 'state', state: 'greeting' });
  }

  end(disposition: Disposition, reason: string): void {
    this.over = true;
    const usage = { sttSeconds: 12.5, llmPromptTokens: 900, llmCompletionTokens: 200, ttsCharacters: 640 };
    this.emit({ kind: 'ended', at: new Date().toISOString(), disposition, reason, usage });
  }

  /** Sends a call and waits for its answer, whichever socket brings it. */
  async tool(event: Omit<Extract<CallEvent, { kind: 'tool_call' }>, 'kind'>): Promise<ToolResult> {
    this.emit({ kind: 'tool_call', ...event });
    await this.until(() => this.results.some((result) => result.key === event.key));
    return this.results.find((result) => result.key === event.key) as ToolResult;
  }

  /** Resolves when the condition holds; it is asked again after every message and attachment. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  beat(): void {
    this.#send({ type: 'beat' });
    for (const socket of this.#replaced) socket.send(JSON.stringify({ type: 'beat' }));
  }

  hear(message: Exclude<ReturnType<typeof workerMessage.parse>, { type: 'start' | 'command' }>): void {
    if (message.type === 'ack') {
      this.acknowledged.push(message.seq);
      this.#forget(message.seq);
    } else if (message.type === 'tool_result') {
      const { type: _, ...result } = message;
      this.results.push(result);
    } else {
      this.hangups.push(message.reason);
    }
    this.#changed();
  }

  steer(id: string, command: SteerCommand): void {
    if (!this.commands.has(id)) this.commands.set(id, command);
    this.#changed();
  }

  #forget(seq: number): void {
    this.#log = this.#log.filter((entry) => entry.seq > seq);
  }

  #send(message: NodeMessage): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #changed(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

export type Script = (session: ScriptedSession) => Promise<void> | void;

export class ScriptedMediaNode implements AsyncDisposable {
  /** By call id; sessions stay here after their end for the test to look at. */
  readonly sessions = new Map<string, ScriptedSession>();
  /** Set to turn every new call away. */
  refusal: { code: ErrorCode; message: string } | null = null;
  /** Set to refuse every wish of an operator. */
  steerRefusal: { code: ErrorCode; message: string } | null = null;
  #frozen = false;
  readonly node: MediaNode;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #beats: NodeJS.Timeout;
  readonly #script: Script;

  private constructor(http: Server, script: Script, id: string) {
    const { port } = http.address() as AddressInfo;
    this.#http = http;
    this.#script = script;
    this.node = mediaNodeOf(id, { controlUrl: `ws://127.0.0.1:${port}`, pid: process.pid, instance: randomUUID(), capacity: 1_000 });
    this.#sockets = new WebSocketServer({
      server: http,
      path: CONTROL_PATH,
      verifyClient: ({ req }: { req: IncomingMessage }) => req.headers.authorization === `Bearer ${CONTROL_SECRET}`,
    });
    this.#sockets.on('connection', (socket) => this.#accept(socket));
    this.#beats = setInterval(() => {
      if (!this.#frozen) for (const session of this.sessions.values()) session.beat();
    }, CONTROL_BEAT_MS);
  }

  static async start(script: Script, id = 'media-test'): Promise<ScriptedMediaNode> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return new ScriptedMediaNode(http, script, id);
  }

  async session(callId: string): Promise<ScriptedSession> {
    for (;;) {
      const session = this.sessions.get(callId);
      if (session !== undefined) return session;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Goes silent without closing its sockets and answers no new one, as a stopped process does. */
  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
  }

  /** As a restart at the same address: the socket breaks, and the call is unknown from now on. */
  forget(callId: string): void {
    const session = this.sessions.get(callId);
    this.sessions.delete(callId);
    session?.dropSocket();
  }

  /** As kill -9: sockets reset, nothing listens, sessions are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beats);
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #steer(socket: WebSocket, { callId, epoch, id, command }: Extract<WorkerMessage, { type: 'command' }>): void {
    const session = this.sessions.get(callId);
    const refusal = session === undefined || session.over || session.epoch < epoch ? notHere : this.steerRefusal;
    if (refusal === null) session?.steer(id, command);
    socket.send(JSON.stringify(refusal === null ? { type: 'done', id } : { type: 'refused', ...refusal }));
  }

  #accept(socket: WebSocket): void {
    let session: ScriptedSession | null = null;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      if (this.#frozen) return;
      const message = workerMessage.parse(JSON.parse(data.toString('utf8')));
      if (message.type === 'command') return this.#steer(socket, message);
      if (message.type !== 'start') {
        session?.hear(message);
        return;
      }
      const known = this.sessions.get(message.plan.callId);
      const refusal = known === undefined ? this.refusal : known.epoch > message.epoch ? staleEpoch : null;
      if (refusal !== null) {
        socket.send(JSON.stringify({ type: 'refused', ...refusal }));
        socket.close();
        return;
      }
      session = known ?? new ScriptedSession(message);
      this.sessions.set(message.plan.callId, session);
      session.attach(socket, message.resumeAfter);
      if (known === undefined) void this.#script(session);
    });
    socket.on('close', () => session?.detach(socket));
  }
}

const notHere = { code: 'media_node_lost', message: 'This node does not hold the call' } as const;
const staleEpoch = { code: 'stale_epoch', message: 'A newer epoch owns the call' } as const;

/** What is known about one call afterwards: the record, the workflow, and the recording of the caller's ear. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { speechSegments, type Segment } from '../../setup/demo/hear.ts';
import { records } from '../../setup/demo/records.ts';
import { parseWav } from '../../setup/demo/wav.ts';
import { workflowIdFor } from '../../src/contracts/call-workflow.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import type { CallRun, WaveRun } from './wave.ts';
import type { World } from './world.ts';

export interface Evidence {
  readonly run: CallRun;
  /** Null when there is none. */
  readonly record: CallDetailView | null;
  /** Records of this caller's number: more than one is a double. */
  readonly records: number;
  /** COMPLETED, RUNNING, FAILED …; null when there is none. */
  readonly workflow: string | null;
  /** Wall clock; null when it did not close in time. */
  readonly closedAtMs: number | null;
  /** Of the line, at the caller's end. */
  readonly endedAtMs: number | null;
  readonly historyEvents: number;
  /** All times are wall clock. */
  readonly agent: readonly Segment[];
  readonly caller: readonly Segment[];
  /** The agent's sentences that were heard from beginning to end. */
  readonly sentences: readonly { readonly text: string; readonly atMs: number }[];
}

/** Written when everything is whole again, at the latest. */
const RECORD_MS = 60_000;
const RATE = 16_000;
/** Pauses between the words of flite are shorter. */
const BRIDGE_MS = 120;
/** Sentences that belong together for listening. */
const PARAGRAPH_MS = 700;
const EDGE_MS = 100;

const silent = { agent: [], caller: [], sentences: [] } as const;

export async function evidenceOf(world: World, wave: WaveRun, { run, client }: { run: CallRun; client: Client }): Promise<Evidence> {
  const { tenantId } = wave.business;
  const stored = records({ apiUrl: world.stack.urls.api, tenantId });
  const placed = { callerNumber: run.from, sinceMs: run.placedAtMs };
  const record = await stored.finished(placed, RECORD_MS).catch(async () => {
    const open = await stored.callOf(placed).catch(() => undefined);
    return open === undefined ? null : await stored.call(open.id).catch(() => null);
  });
  const workflow = record === null ? null : await workflowOf(client, record.id);
  const ended = run.result === null ? null : await run.result.call.ended;
  return {
    run,
    record,
    records: record === null ? 0 : await countRecords(world, tenantId, run.from),
    workflow: workflow?.status ?? null,
    closedAtMs: workflow?.closedAtMs ?? null,
    endedAtMs: ended?.atMs ?? null,
    historyEvents: workflow?.events ?? 0,
    ...(run.result === null ? silent : await listen(world, run)),
  };
}

async function countRecords({ stack }: World, tenantId: string, from: string): Promise<number> {
  const path = `/api/tenants/${tenantId}/calls?caller_number=${encodeURIComponent(from)}`;
  const response = await fetch(`${stack.urls.api}${path}`, { signal: AbortSignal.timeout(10_000) });
  return ((await response.json()) as { items: unknown[] }).items.length;
}

async function workflowOf(client: Client, callId: string): Promise<{ status: string; closedAtMs?: number; events: number } | null> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const found = await client.workflow
      .getHandle(workflowIdFor(callId))
      .describe()
      .catch(() => null);
    if (found !== null && (found.status.name !== 'RUNNING' || Date.now() > deadline)) {
      const closed = found.closeTime === undefined ? {} : { closedAtMs: found.closeTime.getTime() };
      return { status: found.status.name, events: found.historyLength, ...closed };
    }
    if (Date.now() > deadline) return null;
    await sleep(250);
  }
}

async function listen(world: World, { result }: CallRun): Promise<Pick<Evidence, 'agent' | 'caller' | 'sentences'>> {
  const recording = result === null || !result.answered ? null : await result.call.recording().catch(() => null);
  if (result === null || recording === null) return silent;
  const agent = parseWav(await readFile(recording.agent)).pcm;
  const caller = parseWav(await readFile(recording.caller)).pcm;
  // Both tracks end with the call; they begin with the first frame, which may be late.
  const endedAtMs = (await result.call.ended).atMs;
  const startMs = endedAtMs - (agent.length * 1_000) / RATE;
  const onClock = ({ startMs: from, endMs }: Segment): Segment => ({ startMs: startMs + from, endMs: startMs + endMs });
  const sentences: { text: string; atMs: number }[] = [];
  for (const part of speechSegments(agent, RATE, PARAGRAPH_MS)) {
    const from = Math.max(0, part.startMs - EDGE_MS);
    const pcm = agent.slice((from * RATE) / 1_000, ((part.endMs + EDGE_MS) * RATE) / 1_000);
    for (const found of await world.ai.heard(pcm)) sentences.push({ text: found.text, atMs: startMs + from + found.startMs });
  }
  return {
    agent: speechSegments(agent, RATE, BRIDGE_MS).map(onClock),
    caller: speechSegments(caller, RATE, BRIDGE_MS).map(onClock),
    sentences,
  };
}

/** What Holdfast stored about a call, read as any client would: over the REST API. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentWords } from './caller.ts';

export interface StoredCall {
  readonly id: string;
  readonly status: string;
  readonly disposition: string | null;
  readonly reason: string | null;
  readonly startedAt: string;
  readonly answeredAt: string | null;
  readonly endedAt: string | null;
}

export interface StoredTurn {
  readonly sequence: number;
  readonly speaker: 'caller' | 'agent';
  readonly text: string;
  readonly heardText: string;
  readonly interrupted: boolean;
  readonly startedAt: string;
  readonly endedAt: string;
}

export interface StoredBooking {
  readonly id: string;
  readonly callId: string | null;
  readonly startsAt: string;
}

export interface RecordsOptions {
  /** http://host:port */
  readonly apiUrl: string;
  readonly tenantId: string;
}

/** A number may have called before: only calls placed since then are meant. */
export interface Placed {
  readonly callerNumber: string;
  readonly sinceMs: number;
}

export interface Records {
  callOf(placed: Placed): Promise<StoredCall | undefined>;
  call(callId: string): Promise<StoredCall & { readonly turns: readonly StoredTurn[] }>;
  bookingOf(callId: string): Promise<StoredBooking | null>;
  /** Resolves once the call has its disposition. @throws Error after timeoutMs. */
  finished(placed: Placed, timeoutMs?: number): Promise<StoredCall & { readonly turns: readonly StoredTurn[] }>;
  /** Reports each of the agent's turns once, as soon as it is stored; returns how to stop. */
  listen(placed: Placed, onWords: (words: AgentWords & { readonly interrupted: boolean }) => void): () => void;
}

/** The PBX stamps calls in whole seconds. */
const CLOCK_SLACK_MS = 1_500;
const POLL_MS = 200;
const REQUEST_TIMEOUT_MS = 5_000;
const FINISHED_TIMEOUT_MS = 15_000;

export function records({ apiUrl, tenantId }: RecordsOptions): Records {
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${apiUrl}/api/tenants/${tenantId}${path}`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`GET ${path.replace(/\?.*/, '')}: ${response.status}`);
    return (await response.json()) as T;
  };
  const callOf = async ({ callerNumber, sinceMs }: Placed): Promise<StoredCall | undefined> => {
    const { items } = await get<{ items: StoredCall[] }>(`/calls?caller_number=${encodeURIComponent(callerNumber)}`);
    return items.find((each) => Date.parse(each.startedAt) >= sinceMs - CLOCK_SLACK_MS);
  };
  const call: Records['call'] = (callId) => get(`/calls/${callId}`);
  return {
    callOf,
    call,
    async bookingOf(callId) {
      const { items } = await get<{ items: StoredBooking[] }>('/bookings');
      return items.find((booking) => booking.callId === callId) ?? null;
    },
    async finished(placed, timeoutMs = FINISHED_TIMEOUT_MS) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const found = await callOf(placed);
        if (found !== undefined && found.disposition !== null) return call(found.id);
        if (Date.now() > deadline) throw new Error(found === undefined ? 'the call has no record' : 'the call has no disposition');
        await sleep(POLL_MS);
      }
    },
    listen(placed, onWords) {
      const listening = new AbortController();
      const seen = new Set<number>();
      void (async () => {
        let callId: string | undefined;
        while (!listening.signal.aborted) {
          callId ??= (await callOf(placed).catch(() => undefined))?.id;
          const turns = callId === undefined ? [] : ((await call(callId).catch(() => undefined))?.turns ?? []);
          for (const turn of turns) {
            if (listening.signal.aborted || turn.speaker !== 'agent' || seen.has(turn.sequence)) continue;
            seen.add(turn.sequence);
            onWords({ text: turn.heardText, startedAtMs: Date.parse(turn.startedAt), interrupted: turn.interrupted });
          }
          await sleep(POLL_MS);
        }
      })();
      return () => listening.abort();
    },
  };
}

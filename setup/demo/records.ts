/** What Holdfast stored about a call, read as any client would: over the REST API. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallDetailView, CallView } from '../../src/contracts/rest-calls.ts';
import type { TenantView } from '../../src/contracts/rest-tenants.ts';
import type { Page } from '../../src/contracts/rest.ts';
import type { AgentWords, WordSource } from './caller.ts';

export interface RecordsOptions {
  /** http://host:port */
  readonly apiUrl: string;
  readonly tenantId: string;
}

/** A number may have called before: only calls placed since then are meant. */
export interface Placed {
  /** E.164 */
  readonly callerNumber: string;
  readonly sinceMs: number;
}

export interface Records {
  /** IANA name of the tenant's zone. */
  timeZone(): Promise<string>;
  /** The newest call of that number. */
  callOf(placed: Placed): Promise<CallView | undefined>;
  call(callId: string): Promise<CallDetailView>;
  /** Resolves once the call has its disposition. @throws Error after timeoutMs. */
  finished(placed: Placed, timeoutMs?: number): Promise<CallDetailView>;
  /** The agent's words in text, read when somebody asks for them. */
  wordsOf(placed: Placed, onWords: (words: AgentWords & { readonly interrupted: boolean }) => void): WordSource;
}

/** The PBX stamps calls in whole seconds. */
const CLOCK_SLACK_MS = 1_500;
const POLL_MS = 250;
const REQUEST_TIMEOUT_MS = 5_000;
const FINISHED_TIMEOUT_MS = 15_000;

export function records({ apiUrl, tenantId }: RecordsOptions): Records {
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${apiUrl}/api/tenants/${tenantId}${path}`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`GET ${path.replace(/\?.*/, '')}: ${response.status} ${(await response.text()).slice(0, 300)}`);
    return (await response.json()) as T;
  };
  const callOf: Records['callOf'] = async ({ callerNumber, sinceMs }) => {
    const { items } = await get<Page<CallView>>(`/calls?caller_number=${encodeURIComponent(callerNumber)}`);
    const fresh = items.filter((each) => Date.parse(each.created_at) >= sinceMs - CLOCK_SLACK_MS);
    return fresh.sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
  };
  const call: Records['call'] = (callId) => get(`/calls/${callId}`);
  return {
    timeZone: async () => (await get<TenantView>('')).timezone,
    callOf,
    call,
    async finished(placed, timeoutMs = FINISHED_TIMEOUT_MS) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const found = await callOf(placed);
        if (found !== undefined && found.disposition !== null) return call(found.id);
        if (Date.now() > deadline) throw new Error(found === undefined ? 'the call has no record' : 'the call has no disposition');
        await sleep(POLL_MS);
      }
    },
    wordsOf(placed, onWords) {
      const seen = new Set<number>();
      let callId: string | undefined;
      let stopped = false;
      let asking = false;
      const read = async (): Promise<void> => {
        callId ??= (await callOf(placed))?.id;
        for (const turn of callId === undefined ? [] : (await call(callId)).turns) {
          if (stopped || turn.speaker !== 'agent' || seen.has(turn.sequence)) continue;
          seen.add(turn.sequence);
          onWords({ text: turn.heard_text, startedAtMs: Date.parse(turn.started_at), interrupted: turn.interrupted });
        }
        await sleep(POLL_MS);
      };
      return {
        ask() {
          if (asking || stopped) return;
          asking = true;
          // The API may be gone for a moment, by a test's wish: what it missed comes with the next answer.
          void read()
            .catch(() => undefined)
            .finally(() => (asking = false));
        },
        stop: () => void (stopped = true),
      };
    },
  };
}

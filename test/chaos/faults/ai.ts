/** The AI provider fails for a while: everything goes through a proxy that misbehaves. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AiEndpoint, Fault as Misbehaviour } from '../../support/faulty-ai.ts';
import type { Fault } from '../fault.ts';

/** Within the patience of a caller: what is asked in this time must be answered all the same. */
const FAILING_MS = 3_000;
const ENDPOINTS: readonly AiEndpoint[] = ['stt', 'llm', 'tts'];

function aiFault(name: string, misbehaviour: Misbehaviour, what: string): Fault {
  return {
    name,
    what: `the AI provider ${what} for ${FAILING_MS / 1_000} s`,
    needs: { mediaNodes: 1, workers: 1, settings: { STT_TIMEOUT_SECONDS: '4', LLM_TIMEOUT_SECONDS: '4', TTS_TIMEOUT_SECONDS: '4' } },
    async strike({ world: { faultyAi } }) {
      for (const endpoint of ENDPOINTS) faultyAi.set(endpoint, misbehaviour);
      await sleep(FAILING_MS);
      for (const endpoint of ENDPOINTS) faultyAi.set(endpoint, 'pass');
    },
  };
}

export const aiFaults: readonly Fault[] = [
  aiFault('ai-refused', 'reset', 'refuses every connection'),
  aiFault('ai-429', 'error_429', 'answers 429'),
  aiFault('ai-500', 'error_500', 'answers 500'),
  aiFault('ai-hang', 'hang', 'takes requests and never answers'),
  aiFault('ai-slow', 'slow', 'begins each answer three seconds late'),
  aiFault('ai-stall', 'stall', 'stops in the middle of its answers'),
  aiFault('ai-garbage', 'garbage', 'answers something that is no answer'),
];

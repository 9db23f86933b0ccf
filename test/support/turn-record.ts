import type { TurnRecord } from '../../src/contracts/turn.ts';

/** A turn with an even sequence is the agent's: the agent speaks first. */
export function turnRecord(sequence: number, change: Partial<TurnRecord> = {}): TurnRecord {
  const text = `utterance ${sequence}`;
  const at = new Date(Date.UTC(2026, 10, 21, 10, 0, sequence)).toISOString();
  return {
    sequence,
    speaker: sequence % 2 === 0 ? 'agent' : 'caller',
    text,
    heardText: text,
    interrupted: false,
    startedAt: at,
    endedAt: at,
    latencies: {},
    ...change,
  };
}

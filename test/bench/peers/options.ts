/** Command line of `npm run bench:peers`. Pure. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface PeersOptions {
  /** How many at once: a row each. */
  readonly calls: readonly number[];
  /** Rows above it are not measured with the peer; 0: none is. */
  readonly peerMax: number;
  /** Of each call, before its barge-in. */
  readonly turns: number;
  /** Each row is measured so often, and its turns are pooled. */
  readonly repeat: number;
  readonly jsonFile: string | null;
}

export const usage = `usage: npm run bench:peers -- [options]

  --calls 1,10,50,100   calls at once, a row each
  --turns N             turns of each call, before its barge-in (default 5)
  --repeat N            measure every row so often and pool the turns (default 1)
  --peer-max N          the peer is measured up to so many calls (default 25)
  --no-peer             leave the peer out
  --json FILE           write the figures as JSON
  --help                this text`;

const MOST_CALLS = 1_000;

/** @throws Error that says what is wrong with the arguments. */
export function parsePeersOptions(args: readonly string[], cwd: string): PeersOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      calls: { type: 'string', default: '1,10,50,100' },
      turns: { type: 'string', default: '5' },
      repeat: { type: 'string', default: '1' },
      'peer-max': { type: 'string', default: '25' },
      'no-peer': { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const calls = values.calls.split(',').map((text) => count('calls', text, MOST_CALLS));
  if (new Set(calls).size < calls.length) throw new Error('--calls names a number twice; --repeat measures it more often');
  return {
    calls,
    peerMax: values['no-peer'] ? 0 : count('peer-max', values['peer-max'], MOST_CALLS),
    turns: count('turns', values.turns, 50),
    repeat: count('repeat', values.repeat, 20),
    jsonFile: values.json === undefined ? null : resolve(cwd, values.json),
  };
}

function count(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new Error(`--${name} takes numbers from 1 to ${most}, not "${text}"`);
  return value;
}

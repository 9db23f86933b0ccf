/** Command line of `npm start`. Pure. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface DevOptions {
  /** End after the call; the exit code says whether everything expected of it held. */
  readonly once: boolean;
  /** Absolute path of the summary file. */
  readonly jsonFile: string | null;
  /** Calls to place at once; 0 with --no-call. */
  readonly calls: number;
}

const MAX_CALLS = 100;

export const usage = `usage: npm start -- [options]

  --once         end after the call: exit code 0 only if it completed and every expectation of its script held
  --json FILE    write the summary as JSON (docs/summary-json.md)
  --no-call      only start; with --json, FILE is written as soon as everything is ready
  --calls N      place N calls at once (1 to ${MAX_CALLS})
  --help         this text`;

/** @throws Error that says what is wrong with the arguments. */
export function parseDevOptions(args: readonly string[], cwd: string): DevOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'string' },
      'no-call': { type: 'boolean', default: false },
      calls: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const calls = values['no-call'] ? 0 : Number(values.calls ?? '1');
  if (values['no-call'] && values.calls !== undefined) throw new Error('--no-call and --calls exclude each other');
  if (values['no-call'] && values.once) throw new Error('--no-call and --once exclude each other: there would be nothing to do');
  if (!values['no-call'] && !(Number.isInteger(calls) && calls >= 1 && calls <= MAX_CALLS))
    throw new Error(`--calls takes a number from 1 to ${MAX_CALLS}`);
  if (values.json === '') throw new Error('--json takes a file name');
  return { once: values.once, jsonFile: values.json === undefined ? null : resolve(cwd, values.json), calls };
}

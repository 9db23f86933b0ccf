/** Command line of `npm run chaos`. Pure. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface ChaosOptions {
  /** Names; empty for all. */
  readonly faults: readonly string[];
  /** Of each fault. */
  readonly calls: number;
  /** Live at once. */
  readonly atOnce: number;
  readonly jsonFile: string | null;
  readonly logsDir: string | null;
}

export const usage = (names: readonly string[]): string => `usage: npm run chaos -- [options]

  --fault NAME    only this one; may be given several times: ${names.join(', ')}
  --calls N       calls of each fault (default 20)
  --at-once N     live at the same time (default 10)
  --json FILE     write the table as JSON
  --logs DIR      keep the logs of all processes there
  --help          this text`;

/** @throws Error that says what is wrong with the arguments. */
export function parseChaosOptions(args: readonly string[], cwd: string, names: readonly string[]): ChaosOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      fault: { type: 'string', multiple: true, default: [] },
      calls: { type: 'string', default: '20' },
      'at-once': { type: 'string', default: '10' },
      json: { type: 'string' },
      logs: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const unknown = values.fault.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no such fault: ${unknown.join(', ')}`);
  const count = (name: string, text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > 1_000) throw new Error(`--${name} takes a number from 1 to 1000`);
    return value;
  };
  return {
    faults: values.fault,
    calls: count('calls', values.calls),
    // More callers than different wishes for one week cannot be told apart.
    atOnce: Math.min(25, count('at-once', values['at-once'])),
    jsonFile: values.json === undefined ? null : resolve(cwd, values.json),
    logsDir: values.logs === undefined ? null : resolve(cwd, values.logs),
  };
}

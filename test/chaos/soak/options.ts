/** Command line of `npm run soak`. Pure. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface SoakOptions {
  readonly minutes: number;
  /** Live at once; 1 with --long. */
  readonly calls: number;
  /** One call that lasts the whole time. */
  readonly long: boolean;
  readonly jsonFile: string | null;
  readonly logsDir: string | null;
}

export const usage = `usage: npm run soak -- [options]

  --minutes N   how long (default 60)
  --calls N     live at once, new ones replacing finished ones (default 10)
  --long        instead: one call that lasts the whole time
  --json FILE   write the figures as JSON
  --logs DIR    keep the logs of all processes there
  --help        this text`;

/** @throws Error that says what is wrong with the arguments. */
export function parseSoakOptions(args: readonly string[], cwd: string): SoakOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '60' },
      calls: { type: 'string', default: '10' },
      long: { type: 'boolean', default: false },
      json: { type: 'string' },
      logs: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const [minutes, calls] = [Number(values.minutes), Number(values.calls)];
  if (!(minutes > 0 && minutes <= 1_440)) throw new Error('--minutes takes a number up to 1440');
  if (!(Number.isInteger(calls) && calls >= 1 && calls <= 50)) throw new Error('--calls takes a number from 1 to 50');
  return {
    minutes,
    calls: values.long ? 1 : calls,
    long: values.long,
    jsonFile: values.json === undefined ? null : resolve(cwd, values.json),
    logsDir: values.logs === undefined ? null : resolve(cwd, values.logs),
  };
}

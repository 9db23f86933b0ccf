/** What `npm start` prints about its parts and where to look; the call itself is setup/demo's. */
import type { Stack } from '../stack/stack.ts';

const NAME_WIDTH = 14;
const DETAIL_WIDTH = 72;

/** Some parts print under their own name, a product. */
const titles: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  redis: 'Redis',
  temporal: 'Temporal',
  embeddedAi: 'Embedded AI',
  asterisk: 'Asterisk',
  carrier: 'Carrier',
};

export const partTitle = (name: string): string => titles[name] ?? name;

export interface Terminal {
  readonly colour: boolean;
  readonly print: (line?: string) => void;
  readonly heading: (text: string) => void;
  readonly ready: (facts: { name: string; detail: string; ms: number }) => void;
  readonly warn: (text: string) => void;
}

export function createTerminal(stream: NodeJS.WriteStream, env: Readonly<Record<string, string | undefined>>): Terminal {
  const colour = stream.isTTY && !env['NO_COLOR'];
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const print = (line = ''): void => void stream.write(`${line}\n`);
  return {
    colour,
    print,
    heading: (text) => print(`\n${paint('1', text)}`),
    ready: ({ name, detail, ms }) =>
      print(`  ${partTitle(name).padEnd(NAME_WIDTH)} ${detail.padEnd(DETAIL_WIDTH)} ${`${(ms / 1_000).toFixed(1)} s`.padStart(8)}`),
    warn: (text) => print(paint('33', `  ! ${text}`)),
  };
}

export interface LinkOptions {
  readonly stack: Stack;
  /** Of the demo calls. */
  readonly workflowIds: readonly string[];
  readonly recordingsDir: string | null;
}

/** Name and address of what an operator wants to open next. */
export function links({ stack, workflowIds, recordingsDir }: LinkOptions): [name: string, where: string][] {
  const { urls, demo, logsDir, env } = stack;
  const workflows = `${urls.temporalUi}/namespaces/${env['TEMPORAL_NAMESPACE'] ?? 'default'}/workflows`;
  const [only, ...others] = workflowIds;
  return [
    ['API documents', urls.docs],
    ['Temporal UI', only !== undefined && others.length === 0 ? `${workflows}/${only}` : workflows],
    ['Calls', `${urls.api}/api/tenants/${demo.tenantId}/calls`],
    ['Dial in', `sip:${demo.did}@${stack.sip.host}:${stack.sip.port} (SIP over UDP, no registration)`],
    ...(recordingsDir === null ? [] : ([['Recordings', recordingsDir]] satisfies [string, string][])),
    ['Logs', logsDir],
  ];
}

export function printLinks(terminal: Terminal, rows: readonly (readonly [string, string])[]): void {
  for (const [name, where] of rows) terminal.print(`  ${name.padEnd(NAME_WIDTH)} ${where}`);
}

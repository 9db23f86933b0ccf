/** Runs one of src/bin's processes to its end: for exit codes and messages. */
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface FinishedProcess {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const binary = (name: string): string => fileURLToPath(new URL(`../../src/bin/${name}.ts`, import.meta.url));

/** Away from the checkout, whose .env must not leak into a test; killed when it lives too long. */
export function runToEnd(
  name: string,
  env: Record<string, string>,
  options: { args?: readonly string[]; timeoutMs?: number } = {},
): Promise<FinishedProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [binary(name), ...(options.args ?? [])], {
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'] ?? '', ...env },
      timeout: options.timeoutMs ?? 20_000,
      killSignal: 'SIGKILL',
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

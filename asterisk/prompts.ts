/** What the PBX itself says, without Holdfast: rendered once at start, 16 kHz, by flite. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** File name (without extension) → words. The dialplan refers to the names. */
export const prompts = {
  'technical-problem': 'We are sorry. We cannot take your call because of a technical problem.',
  'connecting-you': 'Please hold. We are connecting you.',
  'call-again': 'Please call again in a few minutes. Goodbye.',
  'not-in-service': 'The number you have called is not in service at the moment. Goodbye.',
  'all-lines-busy': 'All our lines are busy at the moment. Please call again in a few minutes. Goodbye.',
} as const;

const RENDER_TIMEOUT_MS = 15_000;

/** Writes `<name>.wav16`, the extension by which the PBX knows 16 kHz WAV. */
export async function renderPrompts(flite: readonly string[], dir: string): Promise<void> {
  const [program, ...args] = flite;
  if (program === undefined) throw new Error('flite: empty command');
  await mkdir(dir, { recursive: true });
  const run = promisify(execFile);
  for (const [name, words] of Object.entries(prompts)) {
    await run(program, [...args, '-voice', 'slt', '-t', words, '-o', join(dir, `${name}.wav16`)], { timeout: RENDER_TIMEOUT_MS });
  }
}

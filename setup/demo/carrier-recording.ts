/** The two directions of one call as the carrier's recorder leaves them. */
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Paths of 16 kHz mono WAV files on one clock. */
export interface Recording {
  readonly caller: string;
  readonly agent: string;
}

const RECORDING_TIMEOUT_MS = 5_000;

/**
 * Asterisk completes the WAV header when it closes the file, a moment after the hang-up.
 * @throws Error when that does not happen in time.
 */
export async function finishRecording(dir: string): Promise<Recording> {
  const deadline = Date.now() + RECORDING_TIMEOUT_MS;
  const closed: Record<string, string> = {};
  for (const side of ['caller', 'agent']) {
    const [raw, file] = [join(dir, `${side}.wav16`), join(dir, `${side}.wav`)];
    while (!(await isComplete(raw))) {
      if (Date.now() > deadline) throw new Error(`the carrier did not finish its recording ${raw}`);
      await sleep(20);
    }
    await rename(raw, file);
    closed[side] = file;
  }
  return { caller: closed['caller'] ?? '', agent: closed['agent'] ?? '' };
}

async function isComplete(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { size } = await file.stat();
    const header = Buffer.alloc(44);
    await file.read(header, 0, 44, 0);
    return size > 44 && header.readUInt32LE(40) === size - 44;
  } finally {
    await file.close();
  }
}

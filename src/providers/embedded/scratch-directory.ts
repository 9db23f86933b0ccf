/** A private directory for audio on its way into or out of a native program. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ScratchDirectory extends AsyncDisposable {
  readonly path: string;
}

/** mkdtemp makes it readable by this user only: it holds callers' voices for moments. */
export async function makeScratchDirectory(name: string): Promise<ScratchDirectory> {
  const path = await mkdtemp(join(tmpdir(), `holdfast-${name}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Workflow code as one file for Temporal's sandbox. Bundling takes seconds, so the result is kept by the hash of its sources. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger, type WorkflowBundle } from '@temporalio/worker';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What workflows may import; import directions are checked, so nothing else can be in the bundle. */
const sourceFolders = ['src/workflows', 'src/contracts', 'src/domain'];
/** Loaded into the sandbox by name, not by an import. */
const failureConverterPath = join(root, 'src/workflows/failure-converter.ts');
const cacheFolder = join(root, 'node_modules/.cache/holdfast');

/** A stale or broken cache costs time only: anything unreadable is bundled anew. */
export async function loadWorkflowBundle(logger?: Logger): Promise<WorkflowBundle> {
  const file = join(cacheFolder, `workflows-${sourcesHash()}.js`);
  try {
    return { code: readFileSync(file, 'utf8') };
  } catch {
    const workflowsPath = join(root, 'src/workflows/index.ts');
    const bundle = await bundleWorkflowCode({ workflowsPath, failureConverterPath, ...(logger === undefined ? {} : { logger }) });
    keep(file, bundle.code);
    return bundle;
  }
}

function sourcesHash(): string {
  const hash = createHash('sha256');
  hash.update(readFileSync(join(root, 'package-lock.json')));
  for (const folder of sourceFolders) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    for (const name of names.sort()) hash.update(`${folder}/${name}\0`).update(readFileSync(join(root, folder, name)));
  }
  return hash.digest('hex').slice(0, 32);
}

function keep(file: string, code: string): void {
  try {
    mkdirSync(cacheFolder, { recursive: true });
    for (const old of readdirSync(cacheFolder)) if (old.startsWith('workflows-')) rmSync(join(cacheFolder, old), { force: true });
    const part = `${file}.${process.pid}`;
    writeFileSync(part, code, { mode: 0o600 });
    renameSync(part, file);
  } catch {
    // A read-only installation bundles at every start.
  }
}

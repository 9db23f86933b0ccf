/** The same project with another workflow in it, as the next release would have: its worker and its workflow bundle. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';

const project = fileURLToPath(new URL('../..', import.meta.url));
const WORKFLOW = 'src/workflows/inbound-call.ts';

export interface ChangedProject extends AsyncDisposable {
  readonly root: string;
  bundle(): Promise<WorkflowBundle>;
}

/** A piece of the workflow's source, which has to be there once, and what is in its place. */
export interface Change {
  readonly was: string;
  readonly is: string;
}

/** @throws Error when the workflow has changed and a change no longer fits. */
export async function changedProject(changes: readonly Change[]): Promise<ChangedProject> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-next-'));
  const dispose = (): Promise<void> => rm(root, { recursive: true, force: true });
  try {
    for (const part of ['src', 'temporal', 'package.json', 'package-lock.json'])
      await cp(join(project, part), join(root, part), { recursive: true });
    await symlink(join(project, 'node_modules'), join(root, 'node_modules'));
    const file = join(root, WORKFLOW);
    let source = await readFile(file, 'utf8');
    for (const { was, is } of changes) {
      if (source.split(was).length !== 2) throw new Error(`${WORKFLOW} does not hold this once: ${was}`);
      source = source.replace(was, () => is);
    }
    await writeFile(file, source);
  } catch (error) {
    await dispose();
    throw error;
  }
  const workflowsPath = join(root, 'src/workflows/index.ts');
  const failureConverterPath = join(root, 'src/workflows/failure-converter.ts');
  return {
    root,
    bundle: () => bundleWorkflowCode({ workflowsPath, failureConverterPath, logger: new DefaultLogger('ERROR') }),
    [Symbol.asyncDispose]: dispose,
  };
}

const imported: Change = {
  was: "  uuid4,\n} from '@temporalio/workflow';",
  is: "  uuid4,\n  patched,\n  sleep,\n} from '@temporalio/workflow';",
};
const beforeTalk = '    const talk = await holdConversation(';
const beforeClose = '    const { answeredAt, endedAt } = facts;\n';

/** One more command before the talk, as an engineer writes it who forgets the calls that are running. */
export const unmarkedChange: readonly Change[] = [imported, { was: beforeTalk, is: `    await sleep(1);\n${beforeTalk}` }];

/** One before the talk and one behind it, each behind its marker. */
export const markedChange: readonly Change[] = [
  imported,
  { was: beforeTalk, is: `    if (patched('before-talk')) await sleep(1);\n${beforeTalk}` },
  { was: beforeClose, is: `${beforeClose}    if (patched('after-talk')) await sleep(1);\n` },
];

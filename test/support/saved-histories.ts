/**
 * Histories of real calls, one per shape of the workflow, kept so that a change of its code can be
 * replayed against calls that are running at that moment. A new shape is written by the test that
 * makes it; what is there already stays as the version wrote it that made it:
 *
 *   HOLDFAST_SAVE_HISTORIES=1 npm test -- test/workflows
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

const folder = fileURLToPath(new URL('../workflows/histories', import.meta.url));

const { History } = proto.temporal.api.history.v1;
type SavedHistory = ReturnType<typeof History.fromObject>;

/** Does nothing unless HOLDFAST_SAVE_HISTORIES is set. Saved in the clear: a replay of it needs no key. */
export async function saveHistory(shape: string, { handle, codec }: { handle: WorkflowHandle; codec: PayloadCodec }): Promise<void> {
  if (process.env['HOLDFAST_SAVE_HISTORIES'] === undefined) return;
  const opened = await decodePayloads(History.fromObject(await handle.fetchHistory()), codec);
  const history = History.toObject(opened, { bytes: String, longs: String, enums: String });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${shape}.json`), `${JSON.stringify(impersonal(history), null, 1)}\n`, { flag: 'wx' }).catch(
    (error: unknown) => {
      if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
    },
  );
}

export async function savedHistories(): Promise<{ shape: string; history: SavedHistory }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => {
      const json = JSON.parse(await readFile(join(folder, name), 'utf8')) as Record<string, unknown>;
      return { shape: name.replace('.json', ''), history: History.fromObject(json) };
    }),
  );
}

/** Every payload in it, wherever it is, goes through the codec. */
async function decodePayloads<Part>(part: Part, codec: PayloadCodec): Promise<Part> {
  if (typeof part === 'object' && part !== null && !(part instanceof Uint8Array)) {
    const fields = part as Record<string, unknown>;
    for (const [key, value] of Object.entries(fields)) {
      fields[key] = isPayload(value) ? (await codec.decode([value]))[0] : await decodePayloads(value, codec);
    }
  }
  return part;
}

const isPayload = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && 'data' in value && value.data instanceof Uint8Array && 'metadata' in value;

/** Which machine and file made it says nothing about the workflow. */
function impersonal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => impersonal(each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'identity') return [key, 'worker'];
      return [key, key === 'stackTrace' ? '' : impersonal(inner)];
    }),
  );
}

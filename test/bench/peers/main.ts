/**
 * npm run bench:peers [-- --calls 1,10,50,100 --no-peer --json FILE]: Holdfast beside a peer, same load,
 * same machine, one after the other in each row. How to read it: docs/bench-peers.md. Asserts nothing.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDataDir } from '../../../setup/stack/run-dirs.ts';
import { loadParts } from '../../../setup/stack/parts.ts';
import { parsePeersOptions, usage, type PeersOptions } from './options.ts';
import { preparePeer, type Peer } from './pipecat/install.ts';
import { figuresTables, stagesTable, toJson, type Row, type SystemName } from './report.ts';
import { rowFigures } from './row-figures.ts';
import { runRow, type RowRun } from './run-row.ts';
import { holdfast, pipecat, type StartSystem } from './systems.ts';

const BARGE_INS = 1;

interface Entry {
  readonly system: SystemName;
  readonly calls: number;
  readonly start: StartSystem | { readonly notRun: string };
  readonly runs: RowRun[];
  failed: string | null;
}

async function main(options: PeersOptions): Promise<void> {
  const peer = options.peerMax === 0 ? null : await preparePeer((what) => console.log(what));
  const entries = options.calls.flatMap((calls) => entriesFor(calls, peer, options));
  await using dirs = await createDataDir();
  for (let round = 1; round <= options.repeat; round++) {
    for (const entry of entries) await measure(entry, { options, dir: join(dirs.dataDir, `${entry.system}-${entry.calls}-${round}`) });
  }
  const rows = entries.map((entry) => rowOf(entry, options));
  console.log(`\n${figuresTables(rows)}`);
  const stages = stagesTable(rows);
  if (stages !== null) console.log(`\n${stages}`);
  if (options.jsonFile !== null) await writeFile(options.jsonFile, `${JSON.stringify(toJson(rows), null, 2)}\n`);
}

/** Side by side, so that whatever else the machine does strikes both. */
function entriesFor(calls: number, peer: Peer | null, { peerMax }: PeersOptions): Entry[] {
  const entry = (system: SystemName, start: Entry['start']): Entry => ({ system, calls, start, runs: [], failed: null });
  const ours = entry('holdfast', holdfast(loadParts(process.env)));
  if (peer === null) return [ours];
  if ('notRun' in peer) return [ours, entry('pipecat', peer)];
  return [ours, entry('pipecat', calls > peerMax ? { notRun: `above --peer-max ${peerMax}` } : pipecat(peer.python))];
}

async function measure(entry: Entry, { options, dir }: { options: PeersOptions; dir: string }): Promise<void> {
  if ('notRun' in entry.start) return;
  const { calls, system } = entry;
  console.log(`${system}, ${calls} ${calls === 1 ? 'call' : 'calls at once'} …`);
  try {
    entry.runs.push(await runRow(entry.start, { calls, turns: options.turns, bargeIns: BARGE_INS, dir }));
  } catch (error) {
    entry.failed = error instanceof Error ? error.message : String(error);
    console.error(entry.failed);
  }
}

function rowOf({ system, calls, start, runs, failed }: Entry, { turns }: PeersOptions): Row {
  if ('notRun' in start) return { system, calls, outcome: start, stages: [] };
  if (runs.length === 0) return { system, calls, outcome: { notRun: (failed ?? '').split('\n')[0] ?? '' }, stages: [] };
  const outcome = rowFigures(runs, { calls, turns, bargeIns: BARGE_INS });
  return { system, calls, outcome, stages: runs.flatMap(({ stages }) => stages) };
}

function optionsOrExit(): PeersOptions {
  try {
    const options = parsePeersOptions(process.argv.slice(2), process.cwd());
    if (options !== 'help') return options;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

await main(optionsOrExit());

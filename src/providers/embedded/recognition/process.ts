/**
 * One pocketsphinx_batch process that never runs out of work: its list of utterances (-ctl) and its
 * list of results (-hyp) are named pipes. The models are loaded once instead of once per phrase.
 *
 *   node ── "u17\n" ──▶ ctl ──▶ pocketsphinx_batch ──▶ hyp ── "words as heard (u17 -8337)\n" ──▶ node
 *            u17.raw in the scratch directory, removed as soon as the answer is there
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export interface RecognizerProgram {
  /** pocketsphinx_batch and what must come before its arguments. */
  readonly command: readonly string[];
  /** Models and search settings. */
  readonly arguments: readonly string[];
}

const run = promisify(execFile);
const START_TIMEOUT_MS = 30_000;
const PHRASE_TIMEOUT_MS = 30_000;
/** Recognised once at start, so that the first caller does not wait for the models. */
const warmUp = new Int16Array(3_200);

interface Running {
  readonly child: ChildProcess;
  readonly controlFd: number;
  readonly results: Socket;
}

export class RecognizerProcess {
  readonly #program: RecognizerProgram;
  readonly #directory: string;
  readonly #name: string;
  #running: Running | undefined;
  #utterances = 0;
  #starts = 0;
  #answer: { id: string; resolve: (words: string) => void; reject: (error: unknown) => void } | undefined;

  constructor(program: RecognizerProgram, directory: string, index: number) {
    this.#program = program;
    this.#directory = directory;
    this.#name = `r${index}`;
  }

  /** Resolves when it has recognised its first (silent) phrase. @throws Error when it cannot run. */
  async start(): Promise<void> {
    await this.#launch();
    await this.#hear(warmUp, AbortSignal.timeout(START_TIMEOUT_MS));
  }

  /** One phrase at a time. When the signal fires, the process is given up, not the next caller's time. */
  async recognize(pcm: Int16Array, signal: AbortSignal): Promise<string> {
    if (this.#running === undefined) await this.#launch();
    return this.#hear(pcm, AbortSignal.any([signal, AbortSignal.timeout(PHRASE_TIMEOUT_MS)]));
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#abandon(new Error('The recogniser is closed'));
    if (running.child.exitCode === null && running.child.signalCode === null) await once(running.child, 'exit');
  }

  async #launch(): Promise<void> {
    const base = join(this.#directory, `${this.#name}-${++this.#starts}`);
    const [control, results] = [`${base}.ctl`, `${base}.hyp`];
    await run('mkfifo', ['-m', '600', control, results]);
    // Read and write: opening does not wait for the other side, and the pipe does not end when it restarts.
    const controlFd = openSync(control, constants.O_RDWR | constants.O_NONBLOCK);
    const socket = new Socket({ fd: openSync(results, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false });
    const [program = 'pocketsphinx_batch', ...fixed] = this.#program.command;
    const files = ['-adcin', 'yes', '-cepdir', this.#directory, '-cepext', '.raw', '-ctl', control, '-hyp', results];
    const child = spawn(program, [...fixed, ...this.#program.arguments, ...files, '-logfn', '/dev/null'], { stdio: 'ignore' });
    const running = { child, controlFd, results: socket };
    this.#running = running;
    const ended = (why: string): void => {
      if (this.#running === running) this.#abandon(new Error(`pocketsphinx_batch ${why}`));
    };
    child.once('error', (error) => ended(`cannot run: ${error.message}`));
    child.once('exit', (code, signal) => ended(`ended (${code ?? signal ?? 'unknown'})`));
    socket.once('error', (error) => ended(`lost its pipe: ${error.message}`));
    createInterface({ input: socket }).on('line', (line) => this.#onResult(line));
    child.once('exit', () => void rm(control, { force: true }).then(() => rm(results, { force: true })));
  }

  async #hear(pcm: Int16Array, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const id = `${this.#name}u${++this.#utterances}`;
    const file = join(this.#directory, `${id}.raw`);
    await writeFile(file, Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength), { mode: 0o600 });
    const giveUp = (): void => this.#abandon(signal.reason);
    try {
      return await new Promise<string>((resolve, reject) => {
        if (this.#running === undefined) return reject(new Error('pocketsphinx_batch has ended'));
        this.#answer = { id, resolve, reject };
        signal.addEventListener('abort', giveUp, { once: true });
        if (signal.aborted) return giveUp();
        writeSync(this.#running.controlFd, `${id}\n`);
      });
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#answer = undefined;
      await rm(file, { force: true });
    }
  }

  /** `words as heard (id score)` */
  #onResult(line: string): void {
    const match = /^(.*?) ?\((\S+) -?\d+\)$/.exec(line);
    if (match !== null && match[2] === this.#answer?.id) this.#answer?.resolve(match[1] ?? '');
  }

  #abandon(reason: unknown): void {
    const running = this.#running;
    this.#running = undefined;
    this.#answer?.reject(reason);
    if (running === undefined) return;
    running.child.kill('SIGKILL');
    running.results.destroy();
    closeSync(running.controlFd);
  }
}

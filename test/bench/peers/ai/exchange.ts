/** One request to the fake AI: what it waits for, and what its client did meanwhile. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { until } from '../exact-time.ts';

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #abort = new AbortController();
  readonly #onBegun: (lateMs: number) => void;
  #begun = false;

  /** @param onBegun told once, how late the answer began against its script. */
  constructor(request: IncomingMessage, response: ServerResponse, onBegun: (lateMs: number) => void) {
    this.request = request;
    this.response = response;
    this.#onBegun = onBegun;
    response.once('close', () => this.#abort.abort());
  }

  /** The client has closed the connection before the answer was complete. */
  get abandoned(): boolean {
    return this.#abort.signal.aborted && !this.response.writableFinished;
  }

  /** Everything the client sent. @returns when its last byte came. */
  async body(): Promise<{ readonly bytes: Buffer; readonly atMs: number }> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.request) chunks.push(chunk as Buffer);
    return { bytes: Buffer.concat(chunks), atMs: performance.now() };
  }

  /** @returns false when the client is gone by then. */
  async reached(momentMs: number): Promise<boolean> {
    if (!(await until(momentMs, this.#abort.signal))) return false;
    if (!this.#begun) this.#onBegun(performance.now() - momentMs);
    this.#begun = true;
    return true;
  }
}

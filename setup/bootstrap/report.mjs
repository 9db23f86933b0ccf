/** One progress line per step: what, where it was found or how it was got, and how long that took. */

const NAME_WIDTH = 14;
const DETAIL_WIDTH = 72;

/** Why a step failed, and what the user can do instead. */
export class StepFailed extends Error {
  /**
   * @param {string} message
   * @param {{tried: readonly string[], instead: string, cause?: unknown}} facts
   */
  constructor(message, facts) {
    super(message, { cause: facts.cause });
    this.tried = facts.tried;
    this.instead = facts.instead;
  }
}

/** @param {NodeJS.WriteStream} stream */
export function createReport(stream) {
  const tty = stream.isTTY;
  return {
    /**
     * @template T
     * @param {string} name
     * @param {(slow: (what: string) => void) => Promise<{detail: string, value: T}>} work calls slow() before anything that takes seconds
     * @returns {Promise<T>}
     */
    async step(name, work) {
      const startedAt = performance.now();
      const head = `  ${name.padEnd(NAME_WIDTH)} `;
      let pending = '';
      const slow = (what) => {
        // A terminal replaces the text; a log file gets it added on the same line.
        stream.write(tty ? `\r\u001b[K${head}${what} …` : `${pending === '' ? head : ''}${what} … `);
        pending = what;
      };
      const finish = (detail) => {
        const seconds = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
        const start = tty ? `\r\u001b[K${head}` : pending === '' ? head : '';
        stream.write(`${start}${pending === '' || tty ? detail.padEnd(DETAIL_WIDTH) : detail} ${seconds.padStart(8)}\n`);
      };
      try {
        const { detail, value } = await work(slow);
        finish(detail);
        return value;
      } catch (error) {
        finish('failed');
        throw error;
      }
    },
  };
}

/** @param {unknown} error */
export function explain(error) {
  if (!(error instanceof StepFailed)) return `\n${error instanceof Error ? error.stack : String(error)}\n`;
  const output = error.cause?.output
    ? `\n  It printed at the end:\n${indent(String(error.cause.output).trim().split('\n').slice(-15).join('\n'))}\n`
    : '';
  return `\n${error.message}\n  Tried:\n${error.tried.map((line) => `  - ${line}`).join('\n')}\n${output}\n  Instead: ${error.instead}\n`;
}

const indent = (text) => text.replace(/^/gm, '    ');

/** One file over HTTP, with a deadline for the connection and another for the whole. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

/**
 * @param {string} url
 * @param {string} file
 * @param {{connectTimeoutMs: number, timeoutMs: number, sha256?: string}} options
 */
export async function download(url, file, options) {
  const stop = new AbortController();
  const connecting = setTimeout(
    () => stop.abort(new Error(`no answer within ${options.connectTimeoutMs / 1_000} s`)),
    options.connectTimeoutMs,
  );
  const whole = setTimeout(() => stop.abort(new Error(`not complete within ${options.timeoutMs / 1_000} s`)), options.timeoutMs);
  try {
    const response = await fetch(url, { signal: stop.signal, redirect: 'follow' });
    clearTimeout(connecting);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const body = Buffer.from(await response.arrayBuffer());
    const digest = createHash('sha256').update(body).digest('hex');
    if (options.sha256 && digest !== options.sha256) throw new Error(`its SHA-256 is ${digest}, not the expected one`);
    await writeFile(file, body);
  } catch (error) {
    throw new Error(`${url}: ${error.cause?.code ?? error.cause?.message ?? error.message}`, { cause: error });
  } finally {
    clearTimeout(connecting);
    clearTimeout(whole);
  }
}

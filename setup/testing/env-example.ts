/** Keys of a .env file, commented-out examples (`#KEY=value`) included, in order. */
export function keysOf(text: string): string[] {
  return text.split('\n').flatMap((line) => /^#?([A-Z][A-Z0-9_]*)=/.exec(line)?.[1] ?? []);
}

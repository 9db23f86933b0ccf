import type { Memory } from './memory.ts';

export interface Answer {
  /** Spoken first; '' when there is only a tool to call. */
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; /** JSON text. */ readonly arguments: string }[];
}

/** What an answer is made from. */
export interface Desk {
  readonly memory: Memory;
  /** Names of the tools that may be called now. */
  readonly tools: readonly string[];
}

export const say = (text: string): Answer => ({ text, toolCalls: [] });

export function callTool(name: string, args: Readonly<Record<string, string>>): Answer {
  return { text: '', toolCalls: [{ name, arguments: JSON.stringify(args) }] };
}

export const isOffered = ({ tools }: Desk, name: string): boolean => tools.includes(name);

import type { ChatMessage } from '../completion/messages.ts';

export interface Question {
  readonly messages: readonly ChatMessage[];
  /** Names of the tools that may be called now. */
  readonly tools: readonly string[];
  readonly now: Date;
}

export interface Answer {
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: string }[];
}

export function answerCaller({ messages, tools }: Question): Answer {
  const said = messages.findLast((message) => message.role === 'user')?.content ?? '';
  if (/bye/i.test(said)) return { text: 'Thank you for calling. Goodbye!', toolCalls: tools.includes('end_call') ? [{ name: 'end_call', arguments: '{}' }] : [] };
  return { text: 'I can tell you our opening hours, and I can book an appointment for you. What would you like?', toolCalls: [] };
}

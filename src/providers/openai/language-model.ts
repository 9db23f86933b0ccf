import type OpenAI from 'openai';
import type { ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions';
import type { ToolSpec } from '../../contracts/call-plan.ts';
import type { ChatDelta, ChatMessage, ChatRequest, LanguageModel } from '../ports.ts';
import { brokenReply, fail } from './failure.ts';
import { ToolCallAssembler } from './tool-call-assembler.ts';

export class OpenAILanguageModel implements LanguageModel {
  readonly #api: OpenAI;

  constructor(api: OpenAI) {
    this.#api = api;
  }

  /** @throws HoldfastError llm_failed, or the signal's reason. */
  async *stream(request: ChatRequest): AsyncIterable<ChatDelta> {
    const { signal } = request;
    signal.throwIfAborted();
    const toolCalls = new ToolCallAssembler();
    let finished = false;
    try {
      // Leaving the loop early makes the SDK close the connection.
      const chunks = await this.#api.chat.completions.create(toBody(request), { signal });
      for await (const chunk of chunks) {
        const choice = chunk.choices?.[0];
        if (choice !== undefined) {
          if (choice.delta?.content) yield { kind: 'text', text: choice.delta.content };
          const pieces = choice.delta?.tool_calls ?? [];
          toolCalls.push(pieces);
          if (pieces.length > 0) yield { kind: 'progress' };
          finished ||= Boolean(choice.finish_reason);
        }
        const usage = usageOf(chunk);
        if (usage !== undefined) yield usage;
      }
      // The SDK ends its stream quietly both when the wire is cut between events and on abort.
      signal.throwIfAborted();
      if (!finished) throw brokenReply('llm_failed', 'ended its stream without a finish reason');
      const calls = toolCalls.finish();
      if (calls.length > 0) yield { kind: 'tool_calls', calls };
    } catch (error) {
      fail('llm_failed', error, signal);
    }
  }
}

function usageOf({ usage }: ChatCompletionChunk): ChatDelta | undefined {
  if (usage === null || usage === undefined) return undefined;
  return { kind: 'usage', promptTokens: usage.prompt_tokens ?? 0, completionTokens: usage.completion_tokens ?? 0 };
}

function toBody(request: ChatRequest): OpenAI.ChatCompletionCreateParamsStreaming {
  return {
    model: request.model,
    messages: request.messages.map(toMessage),
    // max_tokens, not max_completion_tokens: every service that speaks this wire format knows it.
    max_tokens: request.maxTokens,
    stream: true,
    stream_options: { include_usage: true },
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toTool) }),
  };
}

function toTool({ name, description, parameters }: ToolSpec): ChatCompletionTool {
  return { type: 'function', function: { name, description, parameters } };
}

function toMessage(message: ChatMessage): ChatCompletionMessageParam {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
  if (message.role !== 'assistant') return { role: message.role, content: message.content };
  const calls = message.toolCalls ?? [];
  if (calls.length === 0) return { role: 'assistant', content: message.content };
  return {
    role: 'assistant',
    content: message.content === '' ? null : message.content,
    tool_calls: calls.map(({ id, name, arguments: text }) => ({ id, type: 'function', function: { name, arguments: text } })),
  };
}

/** POST /v1/chat/completions, streamed or whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { countTokens, splitTokens } from './completion/tokens.ts';
import { chatMessage } from './completion/messages.ts';
import { readJson, sendJson, write, type Endpoint, type Exchange } from './http.ts';
import { answerCaller } from './receptionist/receptionist.ts';

const MAX_BODY_BYTES = 1_048_576;
const MAX_MESSAGES = 1_000;
const MAX_TOOLS = 128;

const tool = z.object({ type: z.literal('function'), function: z.object({ name: z.string().min(1).max(64) }) });

const completionRequest = z.object({
  model: z.string().min(1).max(200),
  messages: z.array(chatMessage).min(1).max(MAX_MESSAGES),
  tools: z.array(tool).max(MAX_TOOLS).default([]),
  tool_choice: z.unknown().optional(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  n: z.literal(1, 'this server writes one choice').nullish(),
});
type CompletionRequest = z.output<typeof completionRequest>;

export interface CompletionOptions {
  readonly tokenDelayMs: number;
  readonly now: () => Date;
}

interface Completion {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  /** As they are streamed; together they are the text. */
  readonly tokens: readonly string[];
  readonly toolCalls: readonly { id: string; name: string; arguments: string }[];
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  readonly usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

export function chatCompletions(options: CompletionOptions): Endpoint {
  return async (exchange) => {
    const body = await readJson(exchange.request, completionRequest, MAX_BODY_BYTES);
    const completion = complete(body, options.now());
    if (body.stream === true) await stream(exchange, completion, { ...options, includeUsage: body.stream_options?.include_usage === true });
    else sendJson(exchange.response, 200, whole(completion));
  };
}

function complete(body: CompletionRequest, now: Date): Completion {
  const tools = body.tool_choice === 'none' ? [] : body.tools.map((each) => each.function.name);
  const reply = answerCaller({ messages: body.messages, tools, now });
  const limit = body.max_completion_tokens ?? body.max_tokens ?? Number.POSITIVE_INFINITY;
  const all = splitTokens(reply.text);
  const tokens = all.slice(0, limit);
  const cut = tokens.length < all.length;
  // A model that runs out of tokens does not come to its tool calls.
  const calls = cut ? [] : reply.toolCalls;
  const promptTokens = body.messages.reduce((sum, message) => sum + 4 + countTokens(message.content ?? ''), 3);
  const completionTokens = tokens.length + calls.reduce((sum, call) => sum + 8 + countTokens(call.arguments), 0);
  return {
    id: `chatcmpl-${randomId()}`,
    created: Math.floor(now.getTime() / 1_000),
    model: body.model,
    tokens,
    toolCalls: calls.map((call) => ({ id: `call_${randomId()}`, ...call })),
    finishReason: cut ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop',
    usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens },
  };
}

const randomId = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 29);

function whole(completion: Completion): unknown {
  const { id, created, model, tokens, toolCalls, finishReason, usage } = completion;
  const text = tokens.join('');
  const message = {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: null,
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map((call) => toolCall(call)) }),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: finishReason };
  return { id, object: 'chat.completion', created, model, choices: [choice], usage };
}

const toolCall = ({ id, name, arguments: text }: Completion['toolCalls'][number]) => ({
  id,
  type: 'function',
  function: { name, arguments: text },
});

/** Role first, then a token an event, tool calls in pieces, the finish reason, usage if asked for, [DONE]. */
async function stream(exchange: Exchange, completion: Completion, options: CompletionOptions & { includeUsage: boolean }): Promise<void> {
  const { id, created, model, usage } = completion;
  const chunk = { id, object: 'chat.completion.chunk', created, model };
  const event = async (delta: object, finishReason: string | null = null): Promise<void> => {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason };
    await write(exchange, `data: ${JSON.stringify({ ...chunk, choices: [choice], ...(options.includeUsage ? { usage: null } : {}) })}\n\n`);
  };
  exchange.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  await event({ role: 'assistant', content: completion.tokens.length > 0 ? '' : null });
  for (const token of completion.tokens) {
    if (options.tokenDelayMs > 0) await sleep(options.tokenDelayMs, undefined, { signal: exchange.signal });
    await event({ content: token });
  }
  for (const [index, call] of completion.toolCalls.entries()) {
    await event({ tool_calls: [{ index, ...toolCall({ ...call, arguments: '' }) }] });
    for (const piece of splitTokens(call.arguments)) await event({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  await event({}, completion.finishReason);
  if (options.includeUsage) await write(exchange, `data: ${JSON.stringify({ ...chunk, choices: [], usage })}\n\n`);
  exchange.response.end('data: [DONE]\n\n');
}

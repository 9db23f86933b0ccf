/** Chat messages as OpenAI's clients send them, reduced to what the receptionist reads. */
import { z } from 'zod';

const MAX_TEXT = 100_000;

/** Content is text, or a list of parts of which only the text is read. */
const content = z.union([
  z.string().max(MAX_TEXT),
  z
    .array(z.object({ type: z.string(), text: z.string().max(MAX_TEXT).optional() }))
    .transform((parts) => parts.map((part) => part.text ?? '').join('')),
]);

const toolCall = z.object({
  id: z.string().min(1).max(200),
  type: z.literal('function'),
  function: z.object({ name: z.string().min(1).max(64), arguments: z.string().max(MAX_TEXT) }),
});

export const chatMessage = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer', 'user']), content }),
  z.object({ role: z.literal('assistant'), content: content.nullish(), tool_calls: z.array(toolCall).max(128).nullish() }),
  z.object({ role: z.literal('tool'), tool_call_id: z.string().min(1).max(200), content }),
]);

export type ChatMessage = z.output<typeof chatMessage>;

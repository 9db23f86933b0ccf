/** What every resource of the REST API shares: problems, pages, parameters. snake_case on the wire. */
import { z } from 'zod';
import { errorCodes } from '../domain/errors.ts';

export const PAGE_SIZE_DEFAULT = 50;
/** Config.limits.pageSize; a named limit, so that no request can ask for everything. */
export const PAGE_SIZE_MAX = 100;
export const CURSOR_MAX_CHARACTERS = 200;

/** RFC 9457, application/problem+json. */
export const problem = z
  .object({
    type: z.string().meta({ description: 'Where the problem is explained', example: '/docs/errors.md#not_found' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(errorCodes),
    /** Names this answer in the logs. */
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          path: z.string().meta({ description: 'Field, dots between levels', example: 'opening_hours.monday.0.open' }),
          message: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document' });
export type Problem = z.infer<typeof problem>;

const id = z.uuid();
export const tenantParams = z.strictObject({ tenantId: id });
export const phoneNumberParams = z.strictObject({ tenantId: id, phoneNumberId: id });
export const aiProfileParams = z.strictObject({ tenantId: id, aiProfileId: id });
export const callParams = z.strictObject({ tenantId: id, callId: id });

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_SIZE_MAX).default(PAGE_SIZE_DEFAULT),
  cursor: z.string().min(1).max(CURSOR_MAX_CHARACTERS).optional().meta({ description: '`next_cursor` of the page before' }),
});
export type PageQuery = z.output<typeof pageQuery>;

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable().meta({ description: 'null on the last page' }) });

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export const timestamp = z.iso.datetime().meta({ example: '2026-11-21T18:00:00.000Z' });
export const rowFields = { id, created_at: timestamp, updated_at: timestamp };

/** Text that means something to people: not blank. */
export const nonBlank = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !text.includes('\u0000'), 'must not contain U+0000');

/** A patch must say something. Unknown fields are a complaint of their own, and enough of one. */
export const atLeastOneField = [
  (patch: object): boolean => Object.keys(patch).length > 0,
  { error: 'name at least one field to change', when: (payload: { issues: readonly unknown[] }): boolean => payload.issues.length === 0 },
] as const;

/** What the API says about itself. */
import { z } from 'zod';

const dependency = z.object({ status: z.enum(['up', 'down']), message: z.string().optional(), latency_ms: z.number().optional() });

export const health = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    config_valid: z.boolean(),
    message: z.string(),
    dependencies: z.object({ postgres: dependency, redis: dependency, temporal: dependency }),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof health>;

export const serviceInfo = z
  .object({ name: z.string(), version: z.string(), links: z.record(z.string(), z.string()) })
  .meta({ id: 'ServiceInfo' });

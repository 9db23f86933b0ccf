/** Columns and rules that every table shares. */
import { p } from '@mikro-orm/core';
import { randomUUID } from 'node:crypto';

/** Milliseconds are what JavaScript's Date can hold; MikroORM's default would round to seconds. */
export const TIMESTAMP = 'timestamptz(3)';

export const rowProperties = {
  id: p
    .uuid()
    .primary()
    .onCreate(() => randomUUID()),
  createdAt: p
    .datetime()
    .columnType(TIMESTAMP)
    .onCreate(() => new Date())
    .defaultRaw('now()'),
  updatedAt: p
    .datetime()
    .columnType(TIMESTAMP)
    .onCreate(() => new Date())
    .onUpdate(() => new Date())
    .defaultRaw('now()'),
};

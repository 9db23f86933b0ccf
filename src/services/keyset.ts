/** Pages by the last row seen, not by an offset: they stay right and fast while rows are added. */
import { HoldfastError } from '../domain/errors.ts';
import type { Page, PageQuery } from '../contracts/rest.ts';
import { isUuid } from '../lib/uuid.ts';

interface Position {
  readonly at: Date;
  readonly id: string;
}

export interface Keyset<Row, Key extends string> {
  readonly query: PageQuery;
  /** The timestamp that orders the rows; the id decides between equal ones. */
  readonly key: Key;
  readonly direction: 'asc' | 'desc';
  readonly find: (page: {
    /** To be added to the condition. */
    readonly where: Record<string, unknown>;
    readonly orderBy: Record<Key | 'id', 'asc' | 'desc'>;
    readonly limit: number;
  }) => Promise<Row[]>;
}

/** @throws HoldfastError invalid_request for a cursor that is not ours. */
export async function readPage<Row extends { id: string } & Record<Key, Date>, Key extends string, View>(
  keyset: Keyset<Row, Key>,
  view: (row: Row) => View,
): Promise<Page<View>> {
  const { query, key, direction } = keyset;
  const position = query.cursor === undefined ? null : decodeCursor(query.cursor);
  const beyond = direction === 'asc' ? '$gt' : '$lt';
  const where =
    position === null ? {} : { $or: [{ [key]: { [beyond]: position.at } }, { [key]: position.at, id: { [beyond]: position.id } }] };
  const orderBy = { [key]: direction, id: direction } as Record<Key | 'id', 'asc' | 'desc'>;
  // One more than asked for tells whether there is a next page.
  const rows = await keyset.find({ where, orderBy, limit: query.limit + 1 });
  const last = rows.length > query.limit ? rows[query.limit - 1] : undefined;
  return {
    items: rows.slice(0, query.limit).map(view),
    next_cursor: last === undefined ? null : encodeCursor({ at: last[key], id: last.id }),
  };
}

const encodeCursor = (position: Position): string => Buffer.from(`${position.at.getTime()}:${position.id}`).toString('base64url');

function decodeCursor(cursor: string): Position {
  const [milliseconds = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  const at = new Date(/^\d{1,15}$/.test(milliseconds) ? Number(milliseconds) : Number.NaN);
  if (Number.isNaN(at.getTime()) || !isUuid(id)) {
    throw new HoldfastError('invalid_request', 'The cursor is not one of ours', {
      details: { errors: [{ path: 'cursor', message: 'is not a cursor of this API' }] },
    });
  }
  return { at, id };
}

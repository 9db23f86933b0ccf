/** The facts that the system prompt states, one per line as "Name: value". */
import { isDate, weekdayOf } from '../../../domain/local-time.ts';

export interface Facts {
  readonly business: string | undefined;
  /** YYYY-MM-DD where the business is; the clock's (UTC) when the prompt does not say. */
  readonly today: string;
  readonly openingHours: string | undefined;
}

export function readFacts(systemPrompt: string, now: Date): Facts {
  const value = (label: string): string | undefined => new RegExp(`^\\s*(?:[-*] )?${label}:\\s*(.+?)\\s*$`, 'im').exec(systemPrompt)?.[1];
  const stated = /\d{4}-\d{2}-\d{2}/.exec(value('(?:Today|Current date|Local date|Date|Local date and time|Now)') ?? '')?.[0];
  return {
    business: value('(?:Business(?: name)?|Company)'),
    today: stated !== undefined && isDate(stated) ? stated : now.toISOString().slice(0, 10),
    openingHours: value('(?:Opening|Business) hours'),
  };
}

/** "Monday, November 23" */
export function spokenDate(date: string): string {
  const day = weekdayOf(date);
  const month = new Intl.DateTimeFormat('en-US', { month: 'long', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`));
  return `${day.charAt(0).toUpperCase()}${day.slice(1)}, ${month} ${Number(date.slice(8))}`;
}

/** "9 AM, 9:30 AM and 10 AM" */
export function spokenList(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

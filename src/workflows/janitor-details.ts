/** What an operator reads about a run of the janitor in Temporal's UI. Pure: Markdown from the report. */
import type { JanitorReport } from '../contracts/janitor.ts';

export function janitorDetails({ at, found, counts, watching, unseen }: JanitorReport): string {
  const total = sum(counts);
  const lines = [`### ${total === 0 ? 'Nothing found' : `${total} found`}`, '', `- **Looked** ${at.slice(0, 10)} ${at.slice(11, 19)} UTC`];
  if (unseen.length > 0) lines.push(`- **Could not be seen, and was not judged** ${unseen.join(', ')}`);
  if (sum(watching) > 0) lines.push(`- **Watched for longer** ${listed(watching)}`);
  if (found.length > 0) {
    lines.push('', '| what | which | done | outcome |', '|---|---|---|---|');
    for (const { kind, subject, repair, outcome } of found) {
      lines.push(`| ${words(kind)} | \`${subject.replaceAll(/[|`\s]/g, ' ')}\` | ${words(repair)} | ${outcome} |`);
    }
    if (total > found.length) lines.push('', `_${total - found.length} more are in the log, event \`janitor_found\`._`);
  }
  return lines.join('\n');
}

const words = (code: string): string => code.replaceAll('_', ' ');
const sum = (counts: JanitorReport['counts']): number => Object.values(counts).reduce((all, count) => all + count, 0);
const listed = (counts: JanitorReport['counts']): string =>
  Object.entries(counts)
    .map(([kind, count]) => `${count} ${words(kind)}`)
    .join(', ');

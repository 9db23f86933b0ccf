/** The summary block that `npm start` prints after its call. Pure. */
import type { DemoResult } from './run-demo.ts';
import { percentile, type CallSummary } from './summary.ts';

const ms = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} ms`);

/** Lines without a trailing newline, aligned; `timeZone` shows the booking as the business would. */
export function formatSummary(result: DemoResult, timeZone = 'UTC'): string[] {
  const { calls, failures } = result;
  const rows = calls.length === 1 && result.call !== null ? oneCall(result.call, timeZone) : manyCalls(calls);
  const width = Math.max(...rows.map(([name]) => name.length));
  const verdict = failures.length === 0 ? 'every expectation of the script held' : `${failures.length} failed`;
  return [...rows, ['script', verdict] as const]
    .map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
    .concat(failures.map((failure) => `  ! ${failure}`));
}

type Row = readonly [name: string, value: string];

function oneCall(call: CallSummary, timeZone: string): Row[] {
  return [
    ['disposition', `${call.disposition ?? 'none'}${call.reason === null ? '' : ` (${call.reason})`}`],
    ['turns', String(call.turns.length)],
    ['time to first audio', ms(call.timeToFirstAudioMs)],
    ['turn latency', `p50 ${ms(call.turnLatencyMs.p50)}, max ${ms(call.turnLatencyMs.max)}`],
    ['barge-in stop', ms(call.bargeInStopMs)],
    ['history events', String(call.historyEvents ?? '–')],
    ['booking', call.booking === null ? 'none' : spokenInstant(call.booking.startsAt, timeZone)],
    ['recording', call.recording.stereo],
  ];
}

function manyCalls(calls: readonly CallSummary[]): Row[] {
  const completed = calls.filter((call) => call.disposition === 'completed').length;
  const of = (values: readonly (number | null)[]): string => {
    const known = values.filter((value) => value !== null);
    return `p50 ${ms(percentile(known, 0.5))}, p95 ${ms(percentile(known, 0.95))}, max ${ms(percentile(known, 1))}`;
  };
  return [
    ['calls', `${calls.length} recorded, ${completed} completed`],
    ['time to first audio', of(calls.map((call) => call.timeToFirstAudioMs))],
    ['turn latency', of(calls.flatMap((call) => call.turns.map((turn) => turn.latencyMs)))],
    ['barge-in stop', of(calls.map((call) => call.bargeInStopMs))],
    [
      'history events',
      `max ${
        percentile(
          calls.flatMap((call) => call.historyEvents ?? []),
          1,
        ) ?? '–'
      }`,
    ],
    ['bookings', String(calls.filter((call) => call.booking !== null).length)],
  ];
}

function spokenInstant(iso: string, timeZone: string): string {
  return `${new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'long', year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit' }).format(new Date(iso))} (${timeZone})`;
}

import type { WorkflowHandle } from '@temporalio/client';
import { INBOUND_CALL_WORKFLOW, workflowIdFor } from '../../src/contracts/call-workflow.ts';
import { janitorScheduleId, type JanitorReport } from '../../src/contracts/janitor.ts';
import { TemporalView } from '../../src/activities/janitor/temporal-view.ts';
import { janitorDetails } from '../../src/workflows/janitor-details.ts';
import { runJanitor } from '../../temporal/janitor-schedule.ts';
import { CallStage } from '../support/call-stage.ts';
import { until } from '../support/pbx.ts';

let stage: CallStage;
beforeAll(async () => {
  // Far enough apart that only the runs of these tests take place.
  stage = await CallStage.start({ env: { JANITOR_INTERVAL_SECONDS: '86400' } });
  await stage.worker();
}, 60_000);
afterAll(async () => {
  await schedule()
    .delete()
    .catch(() => undefined);
  await stage?.[Symbol.asyncDispose]();
});

const schedule = () => stage.client.schedule.getHandle(janitorScheduleId(stage.taskQueue));
const run = () => runJanitor({ client: stage.client, taskQueue: stage.taskQueue });

async function latestRun(): Promise<WorkflowHandle> {
  const { info } = await schedule().describe();
  return stage.client.workflow.getHandle(info.recentActions.at(-1)?.action.workflow.workflowId ?? '');
}

test('the schedule runs the janitor, which tells what it could not see and judges nothing of it', async () => {
  await until('a worker has made the schedule', () =>
    schedule()
      .describe()
      .then(
        () => true,
        () => false,
      ),
  );
  // Nobody answers for this node: nobody knows what it holds.
  await using node = await stage.mediaNode(() => undefined);
  const first = await run();
  const silent = { kind: 'node_silent', subject: node.node.id, callId: null, repair: 'report', outcome: 'reported' };
  expect(first).toMatchObject({ found: [silent], counts: { node_silent: 1 }, watching: {}, unseen: ['pbx', 'sessions'] });

  const handle = await latestRun();
  const { events } = await handle.fetchHistory();
  expect(events?.length).toBeLessThanOrEqual(15);
  const { currentDetails } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  expect(currentDetails).toContain(`| node silent | \`${node.node.id}\` | report | reported |`);

  // The schedule hands the result of one run to the next, which so knows since when.
  const second = await run();
  expect(second.suspects).toEqual(first.suspects);
  expect(Date.parse(second.at)).toBeGreaterThan(Date.parse(first.at));
  await stage.saveHistoryOf('janitor', await latestRun());
}, 90_000);

test('a worker that starts leaves the schedule as one, and paused when an operator has paused it', async () => {
  await schedule().pause('for a look');
  const worker = await stage.worker();
  await until('it has looked after the schedule', async () => (await schedule().describe()).info.lastUpdatedAt !== undefined);
  await worker.stop();
  const { state, policies, spec } = await schedule().describe();
  expect(state).toMatchObject({ paused: true, note: 'for a look' });
  expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 10_000 });
  expect(spec.intervals).toMatchObject([{ every: 86_400_000 }]);
  await schedule().unpause();
}, 60_000);

test('TemporalView tells running, closed and unknown workflows apart, and ends one that nobody serves', async () => {
  const nobody = `nobody-${stage.taskQueue}`;
  const view = new TemporalView(stage.client, nobody);
  const start = (callId: string) =>
    stage.client.workflow.start(INBOUND_CALL_WORKFLOW, { workflowId: workflowIdFor(callId), taskQueue: nobody, args: [{}] });
  const [stuck, closed] = await Promise.all([start(`stuck-${nobody}`), start(`closed-${nobody}`)]);
  await closed.terminate();
  const idOf = (handle: WorkflowHandle): string => handle.workflowId.slice(workflowIdFor('').length);
  const seen = async () => Object.fromEntries(await view.workflows([idOf(stuck), idOf(closed), `never-${nobody}`], new Set()));
  expect(await seen()).toEqual({
    [idOf(stuck)]: { status: 'running' },
    [idOf(closed)]: { status: 'closed' },
    [`never-${nobody}`]: { status: 'missing' },
  });
  await view.cancel(idOf(stuck));
  const names = async () => (await stuck.fetchHistory()).events?.map((event) => event.attributes) ?? [];
  expect(await names()).toContain('workflowExecutionCancelRequestedEventAttributes');
  await view.terminate(idOf(stuck));
  expect((await seen())[idOf(stuck)]).toEqual({ status: 'closed' });
  // Whoever comes too late finds it done.
  await view.cancel(idOf(stuck));
  await view.terminate(`never-${nobody}`);
});

const quiet: JanitorReport = { at: '2026-11-21T10:15:30.000Z', found: [], counts: {}, watching: {}, unseen: [], suspects: {} };

test('janitorDetails says that nothing was found, what is watched, and what was not seen', () => {
  expect(janitorDetails(quiet)).toBe('### Nothing found\n\n- **Looked** 2026-11-21 10:15:30 UTC');
  const details = janitorDetails({ ...quiet, watching: { workflow_stuck: 2 }, unseen: ['pbx', 'openCalls'] });
  expect(details).toContain('- **Could not be seen, and was not judged** pbx, openCalls');
  expect(details).toContain('- **Watched for longer** 2 workflow stuck');
});

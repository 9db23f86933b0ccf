/** The janitor's run of one minute: eleven events of history. */
import { proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { JanitorActivities } from '../activities/janitor/sweep-world.ts';
import type { JanitorReport } from '../contracts/janitor.ts';
import { janitorDetails } from './janitor-details.ts';

const { sweepWorld } = proxyActivities<JanitorActivities>({
  startToCloseTimeout: 45_000,
  // What fails now is looked at again in a minute.
  retry: { maximumAttempts: 1 },
});

/** What the run before suspected comes with its result: the schedule hands it on. */
export async function janitor(): Promise<JanitorReport> {
  const before = workflowInfo().lastResult as JanitorReport | undefined;
  const report = await sweepWorld({ suspects: before?.suspects ?? {} });
  setCurrentDetails(janitorDetails(report));
  return report;
}

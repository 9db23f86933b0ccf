/**
 * Runs the agent's tools. A run is keyed by call and key: the ledger row (ToolRun) and the side
 * effect are one transaction, so a key that comes again finds its stored result, never a second effect.
 */
import { z } from 'zod';
import { toolArguments, type ToolArguments, type ToolErrorResult } from '../contracts/call-tools.ts';
import type { ToolResult } from '../contracts/media-control.ts';
import { Call } from '../db/entities/call.ts';
import { Tenant } from '../db/entities/tenant.ts';
import { ToolRun } from '../db/entities/tool-run.ts';
import type { Database, ScopedEntityManager } from '../db/tenant-scope.ts';
import { toolNames, type ToolName } from '../domain/call.ts';
import { HoldfastError } from '../domain/errors.ts';
import { storableText } from '../lib/storable-text.ts';
import { bookAppointment, checkAvailability, openingHours, type ToolContext } from './appointments.ts';

export interface ToolsDeps {
  readonly db: Database;
  readonly now: () => Date;
}

export interface ToolRunRequest {
  readonly tenantId: string;
  readonly callId: string;
  /** "{turn}:{index}". */
  readonly key: string;
  readonly name: string;
  /** JSON text as the model wrote it. */
  readonly arguments: string;
}

/**
 * A tool that cannot do what the model asks answers `ok: false` or says so in its result; that is
 * for the model to tell the caller, not an error.
 * @throws HoldfastError not_found for an unknown call; dependency_unavailable (retryable).
 */
export async function runTool(deps: ToolsDeps, request: ToolRunRequest): Promise<ToolResult> {
  return deps.db.inTenant(request.tenantId, async (em) => {
    const call = await em.findOne(Call, { id: request.callId });
    if (call === null) throw new HoldfastError('not_found', 'No such call');
    const claimed = await claimKey(em, request, deps.now());
    const run = await em.findOneOrFail(ToolRun, { callId: request.callId, key: request.key });
    // Whoever claimed it first has committed: the unique key made this transaction wait for it.
    if (!claimed) return resultOf(run);
    const tenant = await em.findOneOrFail(Tenant, { id: request.tenantId });
    const outcome = await execute({ em, tenant, call, now: deps.now() }, request);
    run.status = outcome.ok ? 'succeeded' : 'failed';
    run.result = { ...outcome.content };
    return resultOf(run);
  });
}

interface Outcome {
  readonly ok: boolean;
  readonly content: object;
}

async function claimKey(em: ScopedEntityManager, request: ToolRunRequest, now: Date): Promise<boolean> {
  const row = {
    id: crypto.randomUUID(),
    tenantId: request.tenantId,
    callId: request.callId,
    key: request.key,
    name: storableText(request.name).slice(0, 100),
  };
  const { affectedRows } = await em
    .createQueryBuilder(ToolRun)
    .insert({ ...row, status: 'running', createdAt: now, updatedAt: now })
    .onConflict(['callId', 'key'])
    .ignore()
    .execute('run');
  return affectedRows > 0;
}

function resultOf(run: ToolRun): ToolResult {
  return { key: run.key, ok: run.status === 'succeeded', content: JSON.stringify(run.result ?? {}) };
}

async function execute(context: ToolContext, request: ToolRunRequest): Promise<Outcome> {
  const name = toolNames.find((known) => known === request.name);
  if (name === undefined) return refusal({ error: 'tool_unknown', summary: 'There is no such tool.' });
  const parsed = toolArguments[name].safeParse(parseJson(request.arguments));
  if (!parsed.success) return refusal(invalidArguments(parsed.error));
  return { ok: true, content: await tools[name](context, parsed.data as never) };
}

const tools: { readonly [Name in ToolName]: (context: ToolContext, args: ToolArguments[Name]) => Promise<object> } = {
  get_opening_hours: async ({ tenant }, args) => openingHours(tenant, args),
  check_availability: checkAvailability,
  book_appointment: bookAppointment,
  // The media node hangs up after the goodbye; here it only goes on record.
  end_call: async () => ({ ending: true, summary: 'The call ends after your goodbye.' }),
};

const refusal = (content: ToolErrorResult): Outcome => ({ ok: false, content });

function invalidArguments(error: z.ZodError): ToolErrorResult {
  const fields = error.issues.slice(0, 10).map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  return {
    error: 'invalid_arguments',
    summary: 'The arguments are not valid. Ask the caller for what is missing, then try again.',
    fields,
  };
}

/** Undefined, and so refused by every schema, when it is not JSON. Models write "" for no arguments. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trim() === '' ? '{}' : text);
  } catch {
    return undefined;
  }
}

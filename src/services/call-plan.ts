/** What the agent is told before it speaks: its instructions, the business's facts, its tools. */
import type { CallPlan } from '../contracts/call-plan.ts';
import { toolSpecs } from '../contracts/call-tools.ts';
import type { ProfileRole } from '../domain/call.ts';
import { addDays, localDateTime, weekdayOf } from '../domain/local-time.ts';
import { capitalised, spokenHours, type OpeningHours } from '../domain/opening-hours.ts';

/** The parts of Config that a plan takes over. */
export interface PlanSettings {
  readonly conversation: CallPlan['limits'];
  readonly models: CallPlan['models'] & { readonly voice: string };
}

export interface PlanInput {
  readonly callId: string;
  readonly channelId: string;
  readonly arrivedAt: Date;
  readonly business: { readonly id: string; readonly name: string; readonly timezone: string; readonly openingHours: OpeningHours };
  readonly profile: {
    readonly role: ProfileRole;
    readonly systemPrompt: string;
    readonly greeting?: string | null | undefined;
    readonly language: string;
    readonly voice?: string | null | undefined;
  };
}

export function buildCallPlan(input: PlanInput, settings: PlanSettings): CallPlan {
  const { business, profile } = input;
  const { maxTurns, maxDurationSeconds, silenceReminderMs, maxReminders } = settings.conversation;
  const { stt, llm, tts, voice } = settings.models;
  return {
    callId: input.callId,
    tenantId: business.id,
    channelId: input.channelId,
    agent: {
      role: profile.role,
      greeting: (profile.greeting?.trim() || defaultGreeting(profile.role, business.name)).slice(0, 500),
      systemPrompt: systemPrompt(input),
      language: profile.language,
      voice: profile.voice ?? voice,
    },
    models: { stt, llm, tts },
    tools: [...toolSpecs],
    limits: { maxTurns, maxDurationSeconds, silenceReminderMs, maxReminders },
    transcript: [],
  };
}

export function defaultGreeting(role: ProfileRole, business: string): string {
  const opening = `Thank you for calling ${business}.`;
  const questions: Record<ProfileRole, string> = {
    receptionist: 'How can I help you today?',
    sales: 'What can I tell you about what we offer?',
    support: 'What can I help you solve?',
    dispatcher: 'What do you need, and where?',
    custom: 'How can I help you?',
  };
  return `${opening} ${questions[role]}`;
}

/** The facts are one per line, "Name: value", easy to read for any model. */
function systemPrompt({ business, profile, arrivedAt }: PlanInput): string {
  const now = localDateTime(arrivedAt, business.timezone);
  const tomorrow = addDays(now.date, 1);
  return [
    profile.systemPrompt.trim(),
    '',
    'Facts about the business:',
    `Business name: ${business.name}`,
    `Today: ${now.date} (${capitalised(now.weekday)})`,
    `Tomorrow: ${tomorrow} (${capitalised(weekdayOf(tomorrow))})`,
    `Local time: ${now.time}`,
    `Time zone: ${business.timezone}`,
    `Opening hours: ${spokenHours(business.openingHours)}`,
    '',
    'This is a phone call: what you write is spoken. Use one or two short sentences, no lists, no markup.',
    'Never make up times, prices or availability: use the tools. Give tools dates as YYYY-MM-DD and times as HH:MM (24 hours, local time).',
    'When the caller says goodbye, say goodbye and call end_call.',
  ].join('\n');
}

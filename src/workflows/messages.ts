/** What can be said to a running call. */
import { defineSignal, defineUpdate } from '@temporalio/workflow';
import {
  ADMIT_UPDATE,
  HANGUP_UPDATE,
  SAY_UPDATE,
  TRANSFER_UPDATE,
  TURNS_SIGNAL,
  type HangupRequest,
  type HangupResponse,
  type SayRequest,
  type SteerResponse,
  type TransferRequest,
  type TurnsSignal,
} from '../contracts/call-workflow.ts';
import type { InboundWebhookResponse } from '../contracts/telephony-webhook.ts';

/** Sent with the start, under a constant update id; its answer is the webhook's answer. */
export const admit = defineUpdate<InboundWebhookResponse>(ADMIT_UPDATE);
export const hangup = defineUpdate<HangupResponse, [HangupRequest]>(HANGUP_UPDATE);
export const say = defineUpdate<SteerResponse, [SayRequest]>(SAY_UPDATE);
export const transfer = defineUpdate<SteerResponse, [TransferRequest]>(TRANSFER_UPDATE);
/** Turns in batches: every signal costs four events of history. */
export const turns = defineSignal<[TurnsSignal]>(TURNS_SIGNAL);

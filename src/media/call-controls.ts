/** Several carriers behind one CallControl: each call is its own carrier's, by the id of its channel. */
import type { CallControl } from './call-control.ts';

export function chooseCallControl(of: (channelId: string) => CallControl): CallControl {
  return {
    connect: (request) => of(request.channelId).connect(request),
    takeOver: (request) => of(request.channelId).takeOver(request),
    rejoin: (request) => of(request.channelId).rejoin(request),
    standing: (call) => of(call.channelId).standing(call),
    claim: (call) => of(call.channelId).claim(call),
    hangup: (call) => of(call.channelId).hangup(call),
    release: (call) => of(call.channelId).release(call),
    startTransfer: (call, to) => of(call.channelId).startTransfer(call, to),
    transferOutcome: (call, signal) => of(call.channelId).transferOutcome(call, signal),
    giveBack: (call) => of(call.channelId).giveBack(call),
  };
}

/** What a media node needs to hold calls of Twilio: where their streams come in, and the control of such a call. */
import type { Redis } from 'ioredis';
import { liveCallKeys } from '../../contracts/media-node.ts';
import type { CallControl, LeftBecause } from '../../media/call-control.ts';
import type { Logger } from '../../telemetry.ts';
import { createTwilioCallControl } from './call-control.ts';
import { createTwilioRest } from './rest.ts';
import { startTwilioStreamServer, type TwilioStreamServer } from './stream-server.ts';
import { TwilioStreams } from './streams.ts';

/** Config.twilio. */
export interface TwilioSettings {
  readonly authToken: string;
  readonly accountSid: string;
  readonly publicUrl: string;
  readonly streamUrl: string;
  readonly streamHost: string;
  readonly streamPort: number;
  readonly apiUrl: string;
}

export interface TwilioOptions extends TwilioSettings {
  readonly nodeId: string;
  readonly logger: Logger;
  readonly redis: Redis;
  /** Made with the call control that this makes. */
  readonly node: Promise<{
    channelEntered(channelId: string, callId: string): void;
    channelLeft(channelId: string, because: LeftBecause): void;
  }>;
}

export interface Twilio extends AsyncDisposable {
  readonly callControl: CallControl;
  /** As Twilio dials it. */
  readonly streamUrl: string;
  listen(): Promise<void>;
}

export function openTwilio(options: TwilioOptions): Twilio {
  const { nodeId, logger, redis, node, publicUrl, streamUrl } = options;
  const streams = new TwilioStreams({
    onEntered: (channelId, callId) => void node.then((made) => made.channelEntered(channelId, callId)),
    // Whether the caller is gone or somebody else has taken them, the session finds out.
    onLeft: (channelId) => void node.then((made) => made.channelLeft(channelId, 'moved')),
  });
  const ownerOf = async (callId: string) => {
    const [epoch, holder] = await redis.hmget(liveCallKeys(callId).state, 'epoch', 'nodeId');
    return epoch == null || holder == null ? null : { epoch: Number(epoch), nodeId: holder };
  };
  const callControl = createTwilioCallControl({ nodeId, publicUrl, streams, rest: createTwilioRest(options), ownerOf, logger });
  let server: TwilioStreamServer | undefined;
  return {
    callControl,
    streamUrl,
    async listen() {
      const { streamHost: host, streamPort: port, authToken, accountSid } = options;
      server = await startTwilioStreamServer({ host, port, publicUrl: streamUrl, authToken, accountSid, streams, logger });
    },
    async [Symbol.asyncDispose]() {
      await streams[Symbol.asyncDispose]();
      await server?.[Symbol.asyncDispose]();
    },
  };
}

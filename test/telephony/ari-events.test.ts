import { createEventRouter, type EventRouter } from '../../src/telephony/asterisk/ari-events.ts';
import { newMediaChannelId } from '../../src/telephony/asterisk/ari-ids.ts';

interface Seen {
  readonly router: EventRouter;
  readonly log: string[];
}

function router(): Seen {
  const log: string[] = [];
  return {
    log,
    router: createEventRouter({
      app: 'app',
      onChannelEntered: ({ channelId, args }) => void log.push(`entered ${channelId} ${args.join('+')}`),
      onChannelLeft: ({ channelId, cause, because }) => void log.push(`left ${channelId} ${cause} ${because}`),
      onDtmf: ({ channelId, digit }) => void log.push(`dtmf ${channelId} ${digit}`),
      onReplaced: () => void log.push('replaced'),
    }),
  };
}

const channel = (id: string) => ({ channel: { id } });
const media = newMediaChannelId({ callId: 'c1', epoch: 1 });

test('createEventRouter: a caller enters, presses a key, and hangs up', () => {
  const { router: events, log } = router();
  events.handle({ type: 'StasisStart', args: ['record'], ...channel('a') });
  events.handle({ type: 'ChannelDtmfReceived', digit: '5', ...channel('a') });
  events.handle({ type: 'ChannelHangupRequest', cause: 16, ...channel('a') });
  events.handle({ type: 'StasisEnd', ...channel('a') });
  events.handle({ type: 'ChannelDestroyed', cause: 16, ...channel('a') });
  expect(log).toEqual(['entered a record', 'dtmf a 5', 'left a 16 hung_up']);
});

test('createEventRouter: a channel that is moved away leaves without a cause', () => {
  const { router: events, log } = router();
  events.handle({ type: 'StasisStart', args: [], ...channel('a') });
  events.handle({ type: 'StasisEnd', ...channel('a') });
  expect(log).toEqual(['entered a ', 'left a null moved']);
});

test('createEventRouter: a channel that dies without StasisEnd is reported once', () => {
  const { router: events, log } = router();
  events.handle({ type: 'StasisStart', ...channel('a') });
  events.handle({ type: 'ChannelDestroyed', cause: 38, ...channel('a') });
  events.handle({ type: 'StasisEnd', ...channel('a') });
  expect(log).toEqual(['entered a ', 'left a 38 hung_up']);
});

test('createEventRouter: our own media channels are nobody’s callers', () => {
  const { router: events, log } = router();
  events.handle({ type: 'StasisStart', args: [], ...channel(media) });
  events.handle({ type: 'ChannelDtmfReceived', digit: '5', ...channel(media) });
  events.handle({ type: 'StasisEnd', ...channel(media) });
  expect(log).toEqual([]);
});

test.each([
  { type: 'SomethingOfNextYear' },
  { type: 'toString' },
  { type: 'constructor' },
  { type: 'StasisStart' },
  { type: 'ChannelDtmfReceived', channel: null },
])('createEventRouter: survives %j', (event) => {
  const { router: events } = router();
  expect(() => events.handle(event)).not.toThrow();
});

test('mediaChannelEntered: resolves for a channel that is there, one that comes, and gives up on one that does not', async () => {
  const { router: events } = router();
  const coming = events.mediaChannelEntered(media, 5_000);
  const again = events.mediaChannelEntered(media, 5_000);
  events.handle({ type: 'StasisStart', ...channel(media) });
  expect(await Promise.all([coming, again])).toEqual([true, true]);
  expect(await events.mediaChannelEntered(media, 5_000)).toBe(true);
  events.handle({ type: 'StasisEnd', ...channel(media) });
  expect(await events.mediaChannelEntered(media, 1)).toBe(false);
});

test('createEventRouter: a channel that a PBX takes down with it is lost, not hung up', () => {
  const { router: events, log } = router();
  events.handle({ type: 'StasisStart', args: [], ...channel('a') });
  // What Asterisk 22 says at `core stop now`: for soft requests the cause is a set of flags.
  events.handle({ type: 'ChannelHangupRequest', cause: 4, soft: true, ...channel('a') });
  events.handle({ type: 'StasisEnd', ...channel('a') });
  expect(log).toEqual(['entered a ', 'left a null pbx_lost']);
});

test('createEventRouter: a channel that is hung up within the PBX has hung up', () => {
  const { router: events, log } = router();
  events.handle({ type: 'StasisStart', args: [], ...channel('a') });
  events.handle({ type: 'ChannelHangupRequest', cause: 32, soft: true, ...channel('a') });
  events.handle({ type: 'StasisEnd', ...channel('a') });
  expect(log).toEqual(['entered a ', 'left a null hung_up']);
});

const found = (id: string, inApp: boolean, stasisArgs: readonly string[] = []) => ({ id, state: 'Up', inApp, stasisApp: null, stasisArgs });

test('resync: tells callers that hung up in a gap from those that were moved, learns of media channels that came', async () => {
  const { router: events, log } = router();
  for (const id of ['alive', 'dead', 'elsewhere']) events.handle({ type: 'StasisStart', ...channel(id) });
  log.length = 0;
  events.resync({ channels: [found('alive', true), found('elsewhere', false), found(media, true)], bridges: [] });
  expect(log).toEqual(['left dead null hung_up', 'left elsewhere null moved']);
  expect(await events.mediaChannelEntered(media, 1)).toBe(true);
});

test('resync: a caller who came in a gap enters once, also when the event comes after all', () => {
  const { router: events, log } = router();
  const now = { channels: [found('new', true, ['record'])], bridges: [] };
  events.resync(now);
  events.handle({ type: 'StasisStart', args: ['record'], ...channel('new') });
  events.resync(now);
  expect(log).toEqual(['entered new record']);
});

test('pbxRestarted: everybody who was there is lost', () => {
  const { router: events, log } = router();
  events.handle({ type: 'StasisStart', args: [], ...channel('a') });
  events.pbxRestarted();
  events.resync({ channels: [], bridges: [] });
  expect(log).toEqual(['entered a ', 'left a null pbx_lost']);
});

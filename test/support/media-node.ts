import type { MediaNode } from '../../src/contracts/media-node.ts';

/** What an idle node announces. */
export const mediaNodeOf = (id: string, change: Partial<MediaNode> = {}): MediaNode => ({
  id,
  app: `holdfast-${id}`,
  controlUrl: 'ws://127.0.0.1:4000',
  pid: 1,
  instance: `${id}-instance`,
  live: 0,
  capacity: 10,
  draining: false,
  ...change,
});

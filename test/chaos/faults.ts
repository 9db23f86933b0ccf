/** Every fault, in the order in which they are tried. Neighbours with the same needs share a stack. */
import type { Fault } from './fault.ts';
import { aiFaults } from './faults/ai.ts';
import { apiKill } from './faults/api-kill.ts';
import { asteriskKill } from './faults/asterisk-kill.ts';
import { mediaHang } from './faults/media-hang.ts';
import { mediaKillSingle } from './faults/media-kill-single.ts';
import { mediaKill } from './faults/media-kill.ts';
import { mediaSigterm } from './faults/media-sigterm.ts';
import { mediaUnreachable } from './faults/media-unreachable.ts';
import { databasesDown, postgresDown, redisDown, temporalDown } from './faults/outages.ts';
import { rollingRestart } from './faults/rolling-restart.ts';
import { everyProcessKill, workerAndMediaKill } from './faults/several.ts';
import { workerKill } from './faults/worker-kill.ts';

export const faults: readonly Fault[] = [
  mediaKill,
  mediaHang,
  mediaSigterm,
  apiKill,
  workerAndMediaKill,
  everyProcessKill,
  temporalDown,
  postgresDown,
  redisDown,
  databasesDown,
  asteriskKill,
  workerKill,
  rollingRestart,
  mediaUnreachable,
  mediaKillSingle,
  ...aiFaults,
];

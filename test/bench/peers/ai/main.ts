/** The fake AI as a process of its own, so that its times do not depend on what is measured. Argument: port. */
import { startFakeAi } from './server.ts';

const ai = await startFakeAi(Number(process.argv[2] ?? 0));
process.once('SIGTERM', () => void ai[Symbol.asyncDispose]());

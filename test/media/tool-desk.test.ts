import type { ToolRound } from '../../src/contracts/checkpoint.ts';
import type { CallEvent } from '../../src/contracts/media-control.ts';
import { ToolDesk } from '../../src/media/tool-desk.ts';

function desk(timeoutMs = 1_000, rounds: readonly ToolRound[] = []) {
  const events: CallEvent[] = [];
  const tools = new ToolDesk({ emit: (event) => void events.push(event), timeoutMs, rounds });
  const keys = () => events.flatMap((event) => (event.kind === 'tool_call' ? [event.key] : []));
  return { tools, keys };
}
const booking = (time: string) => ({ id: `call_${Math.random()}`, name: 'book_appointment', arguments: JSON.stringify({ time }) });

describe('ToolDesk', () => {
  test('numbers the side effects of a turn, and starts again with the next turn', () => {
    const { tools, keys } = desk();
    void tools.run(1, booking('10:00'));
    void tools.run(1, booking('11:00'));
    void tools.run(2, booking('10:00'));
    tools.close();
    expect(keys()).toEqual(['1:0', '1:1', '2:0']);
  });

  test('the same booking asked for again in one turn is one side effect with one result', async () => {
    const { tools, keys } = desk();
    const first = tools.run(1, booking('10:00'));
    const again = tools.run(1, booking('10:00'));
    tools.settle({ key: '1:0', ok: true, content: '{"booked":true}' });
    expect(await again).toEqual(await first);
    expect(keys()).toEqual(['1:0']);
  });

  test('a tool that never answers becomes a result that says so', async () => {
    const { tools } = desk(10);
    expect(await tools.run(1, booking('10:00'))).toMatchObject({ key: '1:0', ok: false });
  });
});

import { Migration } from '@mikro-orm/migrations';

const before = ['completed', 'caller_hangup', 'abandoned', 'no_input', 'max_turns', 'max_duration', 'operator_hangup', 'rejected', 'error'];

/** A call may end because its caller was sent to somebody else. */
export class TransferredCalls extends Migration {
  override async up(): Promise<void> {
    await this.allow([...before.slice(0, -2), 'transferred', ...before.slice(-2)]);
  }

  override async down(): Promise<void> {
    await this.execute(`update calls set disposition = 'operator_hangup' where disposition = 'transferred'`);
    await this.allow(before);
  }

  private async allow(dispositions: readonly string[]): Promise<void> {
    const list = dispositions.map((disposition) => `'${disposition}'`).join(', ');
    await this.execute('alter table calls drop constraint calls_disposition_check');
    await this.execute(`alter table calls add constraint calls_disposition_check check (disposition in (${list}))`);
  }
}

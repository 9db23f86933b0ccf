import { Conversation } from '../../src/media/conversation.ts';

describe('Conversation', () => {
  test('holds what the caller heard, and a tool result that came after the answer was cut', () => {
    const talk = new Conversation({ systemPrompt: 'You are a receptionist.', transcript: [] });
    talk.callerSaid('book monday at ten', false);
    const file = talk.toolsCalled('One moment.', [{ id: 'c1', name: 'book_appointment', arguments: '{}' }]);
    expect(talk.messages().at(-1)).toEqual({ role: 'tool', toolCallId: 'c1', content: '{"status":"pending"}' });
    talk.agentSaid('Your appointment is');
    file('c1', '{"booked":true}');
    talk.callerSaid('thanks', false);
    expect(talk.messages().map((message) => [message.role, message.content])).toEqual([
      ['system', 'You are a receptionist.'],
      ['user', 'book monday at ten'],
      ['assistant', 'One moment.'],
      ['tool', '{"booked":true}'],
      ['assistant', 'Your appointment is'],
      ['user', 'thanks'],
    ]);
  });

  test('a turn that got no answer is replaced by its longer form', () => {
    const talk = new Conversation({ systemPrompt: 'x', transcript: [] });
    talk.callerSaid('i need an appointment', false);
    talk.callerSaid('i need an appointment for monday', true);
    expect(talk.messages().filter((message) => message.role === 'user')).toHaveLength(1);
  });
});

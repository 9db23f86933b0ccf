/** What one thing that a caller said means: intents, and the facts of an appointment in it. */
import { findDay } from './days.ts';
import { findName } from './names.ts';
import { digits } from './numbers.ts';
import { findTime, partOfDay, type PartOfDay } from './times.ts';
import { normalise } from './words.ts';

/** What the agent asked last, as far as the caller heard it. */
export type Asked =
  | 'day'
  | 'time'
  | 'name'
  /** Whether to book without a name. */
  | 'nameless'
  /** Whether to try again after a tool failed. */
  | 'retry'
  /** For another day or time, because the wish cannot be met. */
  | 'other'
  /** Whether the caller would like an appointment at all. */
  | 'offer'
  | 'more'
  | 'nothing';

const intentPatterns = {
  goodbye: /\b(?:goodbye|bye|farewell|see you|talk to you later|have a (?:nice|good|great|lovely) (?:day|one|evening|weekend)|hang up)\b/,
  done: /\b(?:that is|that will be|that would be) (?:all|everything|it)\b|\bnothing else\b|\bi am (?:all )?(?:done|set|good)\b|\bno more questions\b/,
  thanks: /\b(?:thank you|thanks|thank|cheers|appreciate)\b/,
  human:
    /\b(?:human|real person|actual person|live person|operator|representative)\b|\b(?:speak|talk|connect|transfer|put me through|through)\b.*\b(?:someone|somebody|person|manager|receptionist|doctor|dentist|staff|people|agent)\b/,
  identity:
    /\bare you (?:a |an )?(?:robot|human|real|machine|computer|bot|ai|person|recording)\b|\bwho (?:am i|are you)\b|\bam i (?:speaking|talking) (?:to|with)\b/,
  repeat:
    /\b(?:say|come|tell me|repeat) (?:that |it |this )?(?:again|once more)\b|\brepeat\b|\bpardon\b|\bwhat did you (?:just )?say\b|\bdid not (?:hear|catch|understand|get)\b|\bcannot hear\b|\bone more time\b|^(?:sorry )?(?:what|sorry|excuse me|huh|come again)(?: sorry| please| was that)?$/,
  hours:
    /\b(?:opening|business|office|working|open) (?:hours|times?)\b|\bhours\b|\b(?:when|what time|what times|how late|how long|until when|which days|what days)\b.*\b(?:open|opens|close|closes|closed|closing)\b|\bare you (?:still |also |ever )?(?:open|closed)\b|\b(?:do|will) you (?:open|close)\b|\byou open\b/,
  cancel: /\b(?:cancel|reschedule|move|change|postpone) (?:my|our|an|the) (?:existing |current )?(?:appointment|booking|reservation)\b/,
  drop: /\b(?:never mind|nevermind|forget (?:it|that|about it)|cancel (?:that|it)|do not (?:book|bother|want)|leave it|changed my mind)\b/,
  availability:
    /\b(?:available|availability|free|openings?|slots?|spots?|vacanc(?:y|ies))\b|\bwhat (?:do|times do|have) you (?:have|got)\b|\b(?:fit|squeeze) me in\b|\bhave (?:you )?(?:got )?(?:anything|something|any time|room|time)\b|\bpossible\b/,
  book: /\b(?:book|booking|appointments?|schedule|reserve|reservation|make an app)\b|\b(?:can|could|may) i come\b|\bcome (?:in|by|over)\b|\b(?:see|visit) (?:the|a|your) (?:dentist|doctor|hygienist|stylist)\b/,
  information:
    /\b(?:how much|price|prices|cost|costs|charge|insurance|address|located|location|where (?:are|is)|parking|directions|website|email|phone number|walk ins?|services|offer|take cards|pay)\b/,
  greeting: /^(?:hello|hi|hey|good (?:morning|afternoon|evening|day))\b/,
  confirm:
    /^(?:(?:oh|well|and|uh) )*(?:yes|yeah|yep|yup|yah|sure|ok|okay|alright|all right|correct|right|absolutely|of course|definitely|exactly|perfect|great|fine|please|please do|go ahead|sounds? (?:good|great|fine)|do (?:it|that)|that (?:is|would be|sounds|works|will be)(?: \w+)? ?(?:fine|good|right|correct|perfect|great|okay|ok|lovely)?|it is (?:fine|good|right|correct|okay))\b/,
  deny: /^(?:(?:oh|well|and|uh) )*(?:no|nope|nah|not (?:really|now|today|yet)|i do not)\b/,
} as const;

export type Intent = keyof typeof intentPatterns;

/** Things that appointments are for, as they are written into the diary. */
const services =
  /\b(?:(?:teeth|dental|regular|deep) )?(?:cleaning|whitening)\b|\b(?:dental )?(?:checkup|filling|root canal|extraction|crown|braces)\b|\b(?:haircut|hair colou?r|highlights|blow dry|shave|beard trim|manicure|pedicure|massage|facial)\b|\b(?:consultation|follow up|physical|vaccination|flu shot|blood test|examination|exam|x ray|toothache)\b/;

export interface Meaning {
  /** Normalised words; '' when nothing was said. */
  readonly words: string;
  readonly intents: ReadonlySet<Intent>;
  /** YYYY-MM-DD */
  readonly date: string | undefined;
  /** HH:MM */
  readonly time: string | undefined;
  readonly part: PartOfDay | undefined;
  readonly name: string | undefined;
  readonly service: string | undefined;
}

export function understand(said: string, context: { readonly today: string; readonly asked: Asked }): Meaning {
  const words = normalise(said);
  const intents = new Set((Object.keys(intentPatterns) as Intent[]).filter((intent) => intentPatterns[intent].test(words)));
  const numbers = digits(words);
  const day = findDay(numbers, context.today);
  const time = findTime(day?.rest ?? numbers, day !== undefined || expectsTime.has(context.asked));
  const part = time === undefined ? partOfDay(words) : undefined;
  const silentOnAppointment = day === undefined && time === undefined && part === undefined;
  const askedForName = context.asked === 'name' && silentOnAppointment && isPlainAnswer(intents);
  return {
    words,
    intents,
    date: day?.date,
    time: time?.time,
    part,
    name: findName(words, askedForName),
    service: services.exec(words)?.[0],
  };
}

const expectsTime: ReadonlySet<Asked> = new Set(['day', 'time', 'other']);

/** "no" and "what are your hours" are no names; "yes john smith" and "sure this is anna" are. */
function isPlainAnswer(intents: ReadonlySet<Intent>): boolean {
  return [...intents].every((intent) => intent === 'confirm' || intent === 'greeting');
}

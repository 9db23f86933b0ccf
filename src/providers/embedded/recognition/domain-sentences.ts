/**
 * What callers of a receptionist say, as a grammar that is unrolled into sentences for the language
 * model: {slot} is replaced by one of its fillings, (a|b|) by one of its alternatives. Words must be
 * spelt as the pronunciation dictionary spells them ("a m", "o'clock").
 */

export interface Topic {
  /** Share of this topic among all sentences. */
  readonly weight: number;
  readonly templates: readonly string[];
}

export const topics: readonly Topic[] = [
  {
    weight: 12,
    templates: [
      '(|{hello} )what are your (opening|business|office|working) hours {please}',
      '(when|what time|until when|how late|how long) (are you|do you) open {please}',
      'what (time|times|days) are you open (on {day}|today|tomorrow|this week|on the weekend|)',
      '(when|what time) do you (open|close) (on {day}|today|tomorrow|in the {part}|)',
      'are you (open|closed|still open) (on {weekday}s|on {day}|on {weekday}|today|tomorrow|now|right now|on the weekend|on weekends|{date})',
      'when are you open (on {weekday}|on {day}|this week|tomorrow|)',
      '(can|could) you tell me (your|the|what your) (opening hours|business hours|hours|office hours|opening times) (are|) {please}',
      'what are your hours (on {weekday}|today|please|)',
      'do you (open|close|work) on {weekday}s',
      'i (would like|want|wanted) to (know|ask about) your (opening hours|hours|business hours)',
      'how late are you open (today|tonight|on {weekday})',
    ],
  },
  {
    weight: 38,
    templates: [
      '(|{hello} ){ask} {book} {appointment} (for {moment}|{moment}|{moment}|) {please}',
      "(|{hello} )(i need|i want|i would like|i'd like) {appointment} (for {moment}|{moment}|{moment}|) {please}",
      '(can|could) i (come|come in|come by|come over) {moment} {please}',
      '(can|could) you (book|put|fit|squeeze|schedule) me in (for {moment}|{moment}|) {please}',
      '(do you have|have you got|is there|are there) (anything|any appointments|any openings|something|a slot|any time|any times|an appointment) (free|available|open|left|) ({when}|{moment}|)',
      'what (do you have|times do you have|is available|is free|times are available) ({when}|)',
      'is {moment} (free|available|possible|okay|still free|still available)',
      '(would|is) {moment} (be possible|work|possible|okay|be okay)',
      'i (would like|want|need) to come (in|) {moment} {please}',
      "(how about|what about|maybe|let us say|let's say) {moment}",
      '(can|could) we (do|make it|say) ({moment}|{time})',
      '(for|at|) {moment} {please}',
      '{moment} (please|would be great|is fine|is good|works for me|)',
      'i want {appointment} {when}',
      '(can|could) i (see|visit) the (dentist|doctor|hygienist) {moment}',
      'i have (a tooth ache|an emergency|pain) (can i come {when}|)',
    ],
  },
  {
    weight: 10,
    templates: [
      '{time} {please}',
      'at {time} {please}',
      'at {time} {please}',
      '{clock} (is fine|would be great|works|sounds good|is good|please|)',
      'around {time}',
      'in the {part}',
      'the (first|second|last|earliest) one (please|)',
    ],
  },
  {
    weight: 8,
    templates: [
      '{when} {please}',
      '{day} {please}',
      '{date} {please}',
      '{day} is (fine|good|better)',
      'tomorrow {please}',
      'as soon as possible',
      'any day next week',
      'next week {please}',
    ],
  },
  {
    weight: 12,
    templates: [
      'my name is {name} {please}',
      'my name is {first} {last}',
      "(it is|it's|this is|i am|i'm) (for|) {name}",
      'the name is {name}',
      '{name} {please}',
      '{first} {last}',
      '(put it|) under {name} {please}',
      '{yes} (my name is|this is|it is) {name}',
      'it is for (me|my son|my daughter|my wife|my husband|my mother|{name})',
    ],
  },
  {
    weight: 14,
    templates: [
      '{yes} {please}',
      '{yes} that is (fine|good|right|correct|great|perfect|okay)',
      '{yes} that (works|sounds good|would be great) (for me|)',
      'that (is|would be) (fine|good|great|perfect|okay|correct|right) (thank you|)',
      '(sounds good|that works|perfect|great|go ahead|please do|of course|yes do that|i think so|yes go ahead|yes book it)',
      '{no} (thank you|thanks|)',
      '{no} that is (all|it|everything|wrong|not right) (thank you|thanks|) ({bye}|)',
      "{no} that's (all|it|everything) ({thanks}|) ({bye}|)",
      'that is (all|everything|it) ({thanks}|) ({bye}|)',
      '{no} nothing else (thank you|) ({bye}|)',
      'that will be all ({thanks}|)',
      '{no} i am (good|done|fine) ({thanks}|)',
    ],
  },
  {
    weight: 10,
    templates: [
      '{thanks}',
      '{thanks} {bye}',
      '{thanks} {bye}',
      '{bye}',
      '{bye}',
      '(okay|great|alright) {bye}',
      '{thanks} (for your help|very much) {bye}',
      'okay {thanks} {bye}',
      'thanks bye',
      'thank you goodbye',
    ],
  },
  {
    weight: 10,
    templates: [
      '(can|could|may) i (speak|talk) to a (human|person|real person|human being) {please}',
      'i (want|would like|need) to (speak|talk) (to|with) (a human|a person|a real person|someone|somebody|the manager|the doctor|the dentist|an operator|a receptionist)',
      '(can|could) you (connect|transfer|put) me (to|through to) (a human|a person|someone|the doctor|the manager|the office)',
      'are you a (robot|human|machine|computer|real person)',
      'am i (speaking|talking) to a (robot|human|machine|person)',
      '(a human|a real person|operator|representative) please',
    ],
  },
  {
    weight: 10,
    templates: [
      'sorry what did you say',
      '(sorry|pardon|excuse me|what) (can|could) you (repeat|say) that (again|) {please}',
      '(can|could) you (please|) (repeat|say) (that|it) (again|) {please}',
      '(sorry|) i did not (hear|catch|understand|get) (that|you)',
      "i didn't (hear|catch|understand|get) (that|you)",
      'say that again {please}',
      '(what|sorry|pardon|pardon me|excuse me|hello|hello are you there|one moment please|wait a moment|hold on)',
      'what was that',
      '(please|) speak (up|more slowly) {please}',
    ],
  },
  {
    weight: 12,
    templates: [
      "(actually|no|wait|sorry|no wait|no sorry|oh sorry) (can we|could we|can you|let us|let's|please) make it {time} (instead|please|)",
      '(actually|no|wait|no wait|sorry|no sorry|oh) i (meant|mean|said) {day} (not {day}|not {weekday}|at {time}|)',
      '{weekday} not {weekday}',
      '(actually|no|wait|) (can|could) we (change|move) (it|that) to ({moment}|{time}) (instead|)',
      "(actually|) (i would prefer|i'd prefer|i would rather have) ({moment}|{time}|{part})",
      '(do you have|is there) (something|anything|another time) (else|earlier|later|earlier on {weekday}|later in the day)',
      '(earlier|later|another day|a different day|another time) {please}',
      '(never mind|forget it|cancel that|forget about it|i changed my mind)',
      'i (would like|want|need) to (cancel|change|move|reschedule) my (appointment|booking) {please}',
      '(can|could) i (cancel|change|move|reschedule) my (appointment|booking)',
    ],
  },
  {
    weight: 12,
    templates: [
      'how much (does|is|will) (a|the) {service} (cost|) (|please)',
      'what does (a|the) {service} cost',
      'how much (does it cost|is it|do you charge|will it cost)',
      'what are your prices',
      'do you (take|accept) (walk ins|insurance|credit cards|new patients|cards|cash|my insurance)',
      'where are you (located|exactly)',
      'what is your (address|phone number|website)',
      'what (services|treatments) do you (offer|have|provide)',
      'is there (parking|a parking lot|a bus stop)',
      '(i have a question|i have a question please|can you help me|i need some help|i need help|can i ask you something)',
      '{hello} i have a question (about my appointment|about your hours|)',
      'how do i (get there|find you)',
    ],
  },
  {
    weight: 5,
    templates: ['{hello}', '{hello} (this is|my name is) {name}', '{hello} how are you (today|)', '(hello|hi) can you hear me'],
  },
];

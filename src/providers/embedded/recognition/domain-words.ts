/** What fills the slots of domain-sentences.ts, in the same notation. A filling that is named twice is said twice as often. */

const hours = '(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)';

export const fillings: Readonly<Record<string, string>> = {
  weekday: '(monday|tuesday|wednesday|thursday|friday|saturday|sunday)',
  month: '(january|february|march|april|may|june|july|august|september|october|november|december)',
  ordinal:
    '(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|twenty first|twenty second|twenty third|twenty fourth|twenty fifth|twenty sixth|twenty seventh|twenty eighth|twenty ninth|thirtieth|thirty first)',
  day: '({weekday}|{weekday}|{weekday}|{weekday}|{weekday}|next {weekday}|this {weekday}|tomorrow|tomorrow|today|the day after tomorrow|{weekday} the {ordinal}|a week on {weekday})',
  date: '(the {ordinal} of {month}|{month} {ordinal}|{month} the {ordinal}|the {ordinal})',
  part: '(morning|afternoon|evening)',
  minutes: '(thirty|thirty|fifteen|forty five|twenty|ten|forty|fifty|oh five)',
  clock: `(${hours}|${hours}|${hours} {minutes}|${hours} o'clock|half past ${hours}|quarter past ${hours}|quarter to ${hours}|ten past ${hours}|twenty to ${hours})`,
  time: '({clock}|{clock}|{clock}|{clock} in the {part}|{clock} in the morning|{clock} in the afternoon|{clock} (a|p) m|noon|twelve noon|midday)',
  when: '(on {day}|on {day}|{day}|{date}|on {date}|tomorrow|tomorrow {part}|{day} {part}|on {day} {part})',
  moment:
    '({when} at {time}|{when} at {time}|{when} at {time}|{when} {time}|{when}|{day} at {time}|{day} at {time}|{date} at {time}|{time} on {day}|{when} around {time})',
  please: '(|||please)',
  ask: "(can i|could i|may i|i would like to|i would like to|i want to|i need to|i'd like to|can you help me|is it possible to|i am calling to|i was hoping to|would it be possible to)",
  book: '(book|make|schedule|get|arrange|have|set up)',
  appointment:
    '(an appointment|an appointment|an appointment|a booking|a reservation|a time|a {service}|a {service} appointment|an appointment for a {service})',
  service:
    '(cleaning|dental cleaning|teeth cleaning|check up|checkup|dental checkup|filling|consultation|haircut|hair cut|root canal|whitening|massage|manicure|facial|follow up|physical|exam|examination|flu shot|vaccination|blood test|x ray|crown|shave|color)',
  first:
    '(john|sarah|david|anna|michael|mary|james|robert|linda|susan|peter|paul|mark|maria|emma|daniel|thomas|laura|karen|lisa|nancy|william|richard|joseph|charles|christopher|jennifer|patricia|elizabeth|barbara|jessica|matthew|anthony|steven|andrew|kevin|brian|george|edward|amy|angela|anne|alice|julia|jane|helen|kate|olivia|sophia|emily|jack|harry|tom|ben|alex|chris|martin|simon|rachel|rebecca|ruth|carol|diana|eric|frank|henry|jason|justin|kim|lucy|megan|nicole|oliver|philip|ryan|scott|stephen|victoria|walter)',
  last: '(smith|johnson|miller|williams|brown|jones|davis|wilson|anderson|taylor|thomas|moore|martin|jackson|thompson|white|harris|clark|lewis|robinson|walker|young|allen|king|wright|scott|green|baker|adams|nelson|hill|campbell|mitchell|roberts|carter|phillips|evans|turner|parker|collins|edwards|stewart|morris|murphy|cook|rogers|morgan|cooper|peterson|reed|bailey|bell|kelly|howard|ward|cox|richardson|wood|watson|brooks|bennett|gray|price|foster|garcia|martinez|rodriguez|lopez|gonzalez|lee|patel|singh|meyer|schmidt|keller|fischer|weber|wagner)',
  name: '({first} {last}|{first} {last}|{first}|{last})',
  yes: '(yes|yes|yeah|yep|sure|okay|of course|alright|right|correct|absolutely|definitely|exactly)',
  no: '(no|no|nope|no no|not really)',
  thanks:
    '(thank you|thank you|thanks|thank you very much|thanks a lot|thank you so much|many thanks|great thank you|okay thank you|perfect thank you|wonderful thank you)',
  bye: '(goodbye|goodbye|bye|bye bye|good bye|have a nice day|have a good day|see you then|see you soon|talk to you later|take care)',
  hello: '(hello|hi|hey|good morning|good afternoon|good evening|hi there|hello there)',
};

/**
 * How words also sound on the line, beside the dictionary's ways: speech codecs and small speakers
 * take the hiss from "th", and "thank you" was heard as "sam you".
 */
export const linePronunciations: Readonly<Record<string, readonly string[]>> = {
  thank: ['S AE NG K', 'F AE NG K'],
  thanks: ['S AE NG K S', 'F AE NG K S'],
};

/** The caller's name, when they say that it is one. */

/** No part of a name, so whatever holds one of them is a sentence. */
const notNames = new Set(
  (
    'yes yeah yep no nope not sure okay ok fine good great please thank thanks you your me my mine i we it is am are was the a an and or of on at in to for from with ' +
    'what which when where who why how that this there here do does did can could would will want need like book appointment time day name hello hi hey bye goodbye ' +
    'today tomorrow monday tuesday wednesday thursday friday saturday sunday morning afternoon evening o am pm oclock hours open opening closed sorry repeat again ' +
    'actually instead wait nothing something anything everything all just maybe never mind forget say said half past quarter noon right correct human person one two ' +
    'three four five six seven eight nine ten eleven twelve thirty fifteen'
  ).split(' '),
);

/** Said with a name whenever it is said. */
const always = /\b(?:my (?:full )?name is|the name is|name is|call me|under the name(?: of)?)\s+(.+)$/;
/** Mean a name only as an answer to the question for it. */
const asAnswer =
  /^(?:(?:yes|sure|okay|ok|well|hi|hello|oh) )*(?:(?:this is|it is for|it is|i am|for|put it under|make it|under|use|just) )?(.+)$/;

const MAX_WORDS = 3;

/** Title case, at most three words; undefined when nothing there can be a name. */
export function findName(words: string, wasAsked: boolean): string | undefined {
  return (
    toName(always.exec(words)?.[1], { stopEarly: true }) ?? (wasAsked ? toName(asAnswer.exec(words)?.[1], { stopEarly: false }) : undefined)
  );
}

/** "john smith and i would like…" is John Smith; an answer with anything but a name in it is none. */
function toName(text: string | undefined, { stopEarly }: { stopEarly: boolean }): string | undefined {
  const words = (text ?? '').split(' ').filter((word) => word !== 'please');
  const end = words.findIndex((word) => notNames.has(word) || !/^\p{L}[\p{L}'-]*$/u.test(word));
  const part = end === -1 ? words : stopEarly ? words.slice(0, end) : [];
  if (part.length === 0 || part.length > MAX_WORDS || part[0] === '') return undefined;
  return part.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ');
}

// English words of scholarly prose that are no concepts, beyond the stop words of a library.

const split = (words: string): string[] => words.trim().split(/\s+/);

/** Verbs by their base form; words that are nouns of many fields too (model, test, learn) are not here. */
const verbs = split(`
  accept achieve acquire act add address affect aid aim allow alter appear apply argue arise ask assess assign assume
  attempt avoid base become begin believe belong bring build call capture carry cause choose claim combine compare
  comprise conclude conduct confirm consider consist constitute construct contain contribute create decide define
  demonstrate denote depend derive describe determine develop differ discuss distinguish draw employ enable encourage
  enhance ensure enter establish evaluate exhibit exist expect explain explore express extend facilitate favor fail
  feature fit find follow generate give govern grow guide handle harness help highlight hold identify illustrate
  implement imply improve include incorporate increase decrease indicate inform intend introduce investigate involve
  keep know lack lead leave leverage let look make manage mean mention minimize maximize motivate need note obtain occur
  offer originate outline overlook perform permit play point possess present preserve prevent produce propose prove
  provide publish quantify raise reach read realize realise recall receive recognize recognise reduce refer refine
  relate rely remain remove render replace report represent require resolve result reveal rise run say see seek seem
  send serve set show simplify solve start stay streamline suggest summarize support take tend thank think tell treat
  try turn understand undergo underscore use utilize vary verify want work write  go come put get happen exceed
  accommodate accompany accomplish account adapt adopt advance agree appreciate associate attribute benefit 
  broaden concern correspond cover deal detect discover emerge emphasize emphasise enrich expand exploit fill focus
  fulfil fulfill gain hope impact inspire interpret lie  maintain match meet modify move observe occupy
  operate order overcome pay place prefer span prepare push rank regard remind repeat separate share  shift specify
  stand  stop store strengthen struggle suffer surround tackle tailor talk underlie unify update wish adjust
`);

const irregular = split(`
  became begun began brought built came chose chosen done drawn drew fell found gave given gone grew grown held kept
  known knew led left lay made meant met paid proved proven ran rose risen said sought seen saw shown sent sold spent
  stood thought took taken told tried understood underwent went written wrote lies lying died
  ate bought broke brought caught drank drove fed felt flew froze gotten grew heard hid hung lent lost met rang read rode
  sang sank sat shone shook shot slept slid spoke sprang stole struck stuck swam swept swore threw tore woke won wore
  wove
`);

/** Adjectives, adverbs and connecting words that say how much, when or how well. */
const qualifiers = split(`
  able above accordingly across actual additional adequate against ago albeit alike almost alone along alongside already
  although always among amongst appropriate approximate apart arguably away back based basic behind below beside besides
  best better beyond big brief broad capable careful central certain clear close common comparable complete
  comprehensive considerable consistent contrary convenient correct crucial current dedicated deep despite detailed
  different difficult direct diverse due during earlier early easier easy effective efficient either else enough entire
  equal especially essential etc even eventually ever every everything evident exact excellent existing extensive extra
  fast faster few fewer final fine first following former forth free frequent full fundamental further future general
  given good great greater half hand hard hence hereby high higher highest huge i.e e.g et al cf vs ideal important
  impossible indeed inevitable initial innovative instead insufficient interesting intuitive key kind large larger
  largest last late later latter least less lesser like likely likewise little long longer lots low lower lowest main
  major many meanwhile mere minor modern moreover most multiple namely near nearby necessary neither never nevertheless
  new newly next nice no none nonetheless nor notable noteworthy nothing novel now nowadays numerous obvious often old
  once one ones onto open opposite original others otherwise our ourselves outside overall own particular past per
  perhaps poor popular possible potential practical precise predefined present previous primary prior probable proper
  quick quite rather ready real reasonable recent regardless relevant respective rich right rigorous robust rough
  seamless second secondary section secure several short shortly significant similar simple since single-handed slight
  slow small smaller smallest so-called sole some something sometimes somewhat soon sophisticated special specific still
  straightforward strict strong subsequent substantial successful such sufficient suitable sure systematic tedious
  thanks thereby therefore thereof third thorough though thus tight timely together top total toward towards traditional
  tremendous true two three four five six seven eight nine ten twice typical ultimate unable unlike until upon useful
  user-friendly usual valid valuable various vast versa very via vice vital well whatever whenever whereas whereby
  wherein whether whole wholly whose wide wider widespread within without worth yes yet hundred thousand million
  around okay today yesterday tomorrow
  fig figs eq eqs equation equations ref refs chapter appendix page pages vol pp doi
  dr prof mr mrs ms inc ltd
  however would will shall whom whilst ours hers theirs myself yourself itself themselves herself himself we us you she
  he nobody somebody anybody everybody everyone someone anyone anything elsewhere somewhere anywhere everywhere
  so abroad its not when down respect furthermore what why how which who where there here then than that this these those
  don did does doing done has have had having been being am was were can could may might must ought
  analyze analyse analyzes analyses validate validates compute computes simulate simulates calculate calculates
  yields yielded owe owes owed lives
  optimize optimise optimizes optimises estimate plot plotted modeled modelled designed tested
  cannot can't don't doesn't isn't aren't won't i'm it's let's that's there's we're you're who's what's
`);

/** Words that end in -ly and are no adverbs. */
const notAdverbs = new Set(
  split('family assembly anomaly monopoly supply reply fly july italy butterfly homily ally'),
);

/** Words that are concepts only together with another word, by their normal form. */
export const genericEnglish: ReadonlySet<string> = new Set(
  split(`
  ability accuracy activity addition advantage agreement amount analysis answer application approach area argument article
  aspect assessment assumption attention attribute author background basis behavior benefit book calculation capability
  case category challenge change chapter choice class code collaboration collection combination community comparison
  complexity component computation concept conclusion condition configuration connection consequence consideration
  construction content context contribution control correlation cost creation criterion data database dataset date
  day decision decrease definition degree demo demonstration dependence description design detail determination
  development device difference difficulty direction discussion distance document documentation ease effect effectiveness
  efficiency effort element end environment error estimate estimation evaluation event evidence example existence
  experience experiment expert expertise explanation expression extension extent fact factor feature feedback field figure file
  focus form format formulation foundation framework function functionality funding generation goal group guidance help
  hour hypothesis idea impact implementation importance improvement increase individual influence information input
  insight installation institution instance instruction integration interaction interest interpretation introduction
  investigation issue item journal keyword knowledge lack language law layer length level library limitation line
  link list literature location loss magnitude manner manuscript mark material mean measure measurement mechanism
  member method methodology minute mode model modeling modelling module motivation name nature need note number object
  objective observation operation opportunity option order organization origin output overview package paper parameter
  part participant pattern people performance period person perspective phase phenomenon picture piece pipeline place
  plan platform plot point position possibility practice prediction presence presentation principle problem procedure
  process product program progress project property proposal purpose quality quantity question range rate ratio reader
  reason reference region relation relationship reliability report representation request requirement research
  researcher resource response rest result review role rule run sample scale scenario scheme science scientist scope
  score script section selection sense sentence sequence series set setting shape share side significance simulation
  site situation size software solution solver source space standard start state statement step strategy string structure
  student study subject success suggestion sum summary support surface syntax system table target task team technique table
  technology term test testing text thank theory thing time title tool topic topology trend trial type understanding
  unit usage use user utility validation value variable variation variety version video view volume way week word work
  worker workflow world year acknowledgment acknowledgement usability interface high-level feasibility approximation
  generator engine engineer representation access user-specified creation number physics
  `),
);

/** Every stop word: base forms with their inflections. */
export const stopEnglish: ReadonlySet<string> = new Set([
  ...verbs.flatMap(inflected),
  ...irregular,
  ...qualifiers,
]);

function inflected(verb: string): string[] {
  const stem = verb.endsWith('e') ? verb.slice(0, -1) : verb;
  const yStem = /[^aeiou]y$/.test(verb) ? verb.slice(0, -1) : null;
  const doubled = /^[^aeiou]*[aeiou][bdgklmnprt]$/.test(verb) ? verb + (verb.at(-1) ?? '') : stem;
  const third = yStem ? `${yStem}ies` : /(?:s|x|z|ch|sh)$/.test(verb) ? `${verb}es` : `${verb}s`;
  const past = yStem ? `${yStem}ied` : `${doubled}ed`;
  return [verb, third, past, `${doubled}ing`];
}

/** Words that end in -ed and are nouns. */
const notParticiples = new Set(
  split('bed feed seed speed need weed reed deed breed shed sled thread spread bread embed'),
);

export function isEnglishParticiple(word: string): boolean {
  return word.length > 3 && word.endsWith('ed') && !notParticiples.has(word);
}

export function isEnglishAdverb(word: string): boolean {
  return word.length > 4 && word.endsWith('ly') && !notAdverbs.has(word);
}

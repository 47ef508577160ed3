// The same text can be cut into tokens in several ways, and a model does not always write the way its tokenizer
// cuts. A prompt that takes generated text in is therefore cut as it stands in the cache, as far as the texts agree:
// else one odd token early in a long text would have all of it evaluated again. Pure; decoding comes in.
import type { Detokenize } from './completionText.ts';

/** Texts must meet again within so many tokens: a cut that differs for longer is another text. */
const longestDetour = 16;

/**
 * `prompt`, with the tokens of `cached` in place of its own as far as both spell the same text.
 * @param isControl tokens that are no text: they are the same only as tokens
 */
export function alignedPrompt<T extends number>(
  cached: readonly T[],
  prompt: readonly T[],
  detokenize: Detokenize,
  isControl: (token: T) => boolean,
): readonly T[] {
  const { inCache, inPrompt } = lastMeeting(cached, prompt, detokenize, isControl);
  // Token by token nothing was gained: the prompt is cut as the cache is.
  if (inCache === inPrompt && startsWith(prompt, cached.slice(0, inCache))) return prompt;
  const aligned = [...cached.slice(0, inCache), ...prompt.slice(inPrompt)];
  // Some vocabularies spell a token by what stands before it: only the whole text decides.
  return detokenize(aligned) === detokenize(prompt) ? aligned : prompt;
}

/** How many tokens of each spell the same beginning. */
function lastMeeting<T extends number>(
  cached: readonly T[],
  prompt: readonly T[],
  detokenize: Detokenize,
  isControl: (token: T) => boolean,
): { inCache: number; inPrompt: number } {
  let inCache = 0;
  let inPrompt = 0;
  for (;;) {
    while (inCache < cached.length && cached[inCache] === prompt[inPrompt]) {
      inCache += 1;
      inPrompt += 1;
    }
    const detour = detourFrom(
      cached.slice(inCache),
      prompt.slice(inPrompt, inPrompt + longestDetour),
      detokenize,
      isControl,
    );
    if (!detour) return { inCache, inPrompt };
    inCache += detour.cached;
    inPrompt += detour.prompt;
  }
}

/** The shortest stretches of both that spell the same text, although their first tokens differ. */
function detourFrom<T extends number>(
  cached: readonly T[],
  prompt: readonly T[],
  detokenize: Detokenize,
  isControl: (token: T) => boolean,
): { cached: number; prompt: number } | null {
  let taken = 0;
  let given = 0;
  let here = '';
  let there = '';
  while (taken < longestDetour && given <= prompt.length) {
    if (here !== '' && here === there) return { cached: taken, prompt: given };
    const behind = here.length <= there.length;
    if (!here.startsWith(there) && !there.startsWith(here)) return null;
    const next = behind ? cached[taken] : prompt[given];
    if (next === undefined || isControl(next)) return null;
    if (behind) here = detokenize(cached.slice(0, (taken += 1)));
    else there = detokenize(prompt.slice(0, (given += 1)));
    // Half a character at the end of either is not compared: the detour then ends without a meeting.
    if (here.includes('\uFFFD') || there.includes('\uFFFD')) return null;
  }
  return null;
}

function startsWith<T>(whole: readonly T[], start: readonly T[]): boolean {
  return start.length <= whole.length && start.every((token, index) => whole[index] === token);
}

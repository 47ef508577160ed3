// preflexor search: what the index of notes and papers has on a question.
import { PreflexorError } from '../errors.ts';
import { DocumentKind, type Passage, type SearchFilter } from '../protocol/index.ts';
import { workspaceOf } from '../state/index.ts';
import { settingsOf, withLibrary, type Context } from './context.ts';

export interface SearchOptions {
  readonly k: number;
  readonly folder?: readonly string[];
  readonly tag?: readonly string[];
  readonly kind?: readonly DocumentKind[];
}

/**
 * Prints passages, best first; none, where nothing is relevant. Searches what was indexed, and indexes nothing.
 * @throws PreflexorError `bad-input` where there is no index, and what the search throws
 */
export async function searchCommand(query: string, options: SearchOptions, context: Context): Promise<void> {
  const { workspace } = context.options;
  const root = await workspaceOf({ home: context.home, ...(workspace !== undefined && { workspace }) });
  const filter: SearchFilter = {
    ...(options.folder && { folders: [...options.folder] }),
    ...(options.tag && { tags: [...options.tag] }),
    ...(options.kind && { kinds: [...options.kind] }),
  };
  const result = await withLibrary(context, root, settingsOf(context.options), async (library) => {
    if (!(await library.isIndexed(root))) {
      throw new PreflexorError('bad-input', `The folder ${root} has not been indexed.`, {
        remedy: `Run: preflexor index ${JSON.stringify(root)}`,
      });
    }
    return await library.search(root, query, { k: options.k, filter }, context.signal);
  });
  context.output.result(
    result.passages,
    result.passages.length === 0
      ? 'Nothing relevant in your notes.'
      : result.passages.map(readable).join('\n\n'),
  );
}

function readable(passage: Passage): string {
  const { source, heading, page, start, score, readable: text, text: raw, citekey } = passage;
  const place = [source, ...heading, ...(page === null ? [] : [`page ${page}`])].join(' › ');
  const cited = citekey === undefined ? '' : ` [@${citekey}]`;
  return `${score.toFixed(3)}  ${place} (${start})${cited}\n${(text ?? raw).trim()}`;
}

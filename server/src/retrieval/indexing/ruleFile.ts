// One .gitignore or .preflexorignore: which of its lines matches a path, by git's own pattern language.
// Knows one file's lines only; which file decides, and what an excluded folder means, is rules.ts.
import ignore from 'ignore';

/** Where a rule stands. Paths are relative to the workspace, lines are counted from 1. */
export type RulePlace =
  | { readonly kind: 'file'; readonly path: string; readonly line: number }
  | { readonly kind: 'setting'; readonly name: string }
  | { readonly kind: 'built-in' };

/** A rule that matched, as its author wrote it. */
export interface Rule {
  readonly place: RulePlace;
  readonly text: string;
  /** It takes back what an earlier rule left out. */
  readonly negated: boolean;
}

interface Line {
  readonly rule: Rule;
  /** Says of a path whether this line alone matches it, its folders left out of account. */
  readonly matches: (path: string) => boolean;
  /** Path segments, when the pattern names the way from the file's folder. Null: it matches at any depth. */
  readonly segments: readonly string[] | null;
}

export class RuleFile {
  readonly #folder: string;
  readonly #lines: readonly Line[];
  readonly #ignoreCase: boolean;
  readonly #matchesAny: (path: string) => boolean;

  /**
   * @param file.path relative to the workspace, with forward slashes
   * @param file.folder that its patterns are relative to, likewise; the workspace itself is ''
   * @param ignoreCase as the file system does (git: core.ignoreCase)
   */
  constructor(file: { readonly path: string; readonly folder: string }, text: string, ignoreCase: boolean) {
    const { path } = file;
    this.#folder = file.folder;
    this.#ignoreCase = ignoreCase;
    this.#lines = linesOf(path, text, ignoreCase);
    this.#matchesAny = matcherOf(
      this.#lines.map(({ rule }) => rule.text),
      ignoreCase,
    );
  }

  /** The last line that matches this very path (not one of its folders), or null. */
  match(path: string, isFolder: boolean): Rule | null {
    const own = this.#inside(path);
    if (own === null) return null;
    const asked = isFolder ? `${own}/` : own;
    if (!this.#matchesAny(asked)) return null;
    return this.#lines.findLast((line) => line.matches(asked))?.rule ?? null;
  }

  /** Whether a `!` line names a way to something beneath this folder, so that it must be looked into. */
  reachesInto(folder: string): boolean {
    const own = this.#inside(folder)?.split('/');
    if (own === undefined) return false;
    return this.#lines.some(
      ({ rule, segments }) => rule.negated && leadsBeneath(segments, own, this.#ignoreCase),
    );
  }

  /** The path as this file's patterns see it; null where they do not reach. */
  #inside(path: string): string | null {
    if (this.#folder === '') return path;
    return path.startsWith(`${this.#folder}/`) ? path.slice(this.#folder.length + 1) : null;
  }
}

function linesOf(path: string, text: string, ignoreCase: boolean): Line[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((written, index) => ({ written, line: index + 1 }))
    .filter(({ written }) => written.trim() !== '' && !written.startsWith('#'))
    .map(({ written, line }) => ({
      rule: { place: { kind: 'file', path, line }, text: written, negated: written.startsWith('!') },
      matches: matcherOf([written], ignoreCase),
      segments: segmentsOf(written),
    }));
}

/**
 * Whether one of the patterns matches a path itself. The library also looks at the folders above a path, but
 * only at those that are ignored: when every pattern is turned into a negated one, none is, and `unignored`
 * says what is wanted here. Its memory of answers is thrown away now and then: a workspace may have many paths.
 */
function matcherOf(patterns: readonly string[], ignoreCase: boolean): (path: string) => boolean {
  const turned = patterns.map((pattern) => (pattern.startsWith('!') ? pattern : `!${pattern}`));
  const make = () => turned.reduce((rules, pattern) => rules.add(pattern), ignore({ ignoreCase }));
  let rules: ReturnType<typeof make> | null = null;
  let asked = 0;
  return (path) => {
    asked += 1;
    if (asked % 4096 === 0) rules = null;
    rules ??= make();
    return rules.test(path).unignored;
  };
}

/** As in git: a pattern is bound to its file's folder when it has a slash before its end. */
function segmentsOf(written: string): readonly string[] | null {
  const pattern = written.replace(/^!/, '').trimEnd().replace(/\/$/, '');
  if (!pattern.includes('/')) return null;
  const segments = pattern.replace(/^\//, '').split('/');
  return segments[0] === '**' ? null : segments;
}

function leadsBeneath(
  segments: readonly string[] | null,
  folder: readonly string[],
  ignoreCase: boolean,
): boolean {
  if (segments === null) return false;
  for (const [index, name] of folder.entries()) {
    const segment = segments[index];
    if (segment === undefined) return false;
    if (segment === '**') return true;
    // A segment with wildcards may match: looking into the folder is how to know.
    if (!/[*?[\\]/.test(segment) && !sameName(segment, name, ignoreCase)) return false;
  }
  return segments.length > folder.length;
}

function sameName(a: string, b: string, ignoreCase: boolean): boolean {
  return ignoreCase ? a.toLowerCase() === b.toLowerCase() : a === b;
}

/** `notes/.gitignore, line 3: drafts/` */
export function describeRule(rule: Rule): string {
  switch (rule.place.kind) {
    case 'file':
      return `${rule.place.path}, line ${rule.place.line}: ${rule.text}`;
    case 'setting':
      return `setting ${rule.place.name}: ${rule.text}`;
    case 'built-in':
      return rule.text;
  }
}

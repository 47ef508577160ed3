// Whether a file is indexed, and by which rule: the order and the meaning are git's, the last match decides.
// Pure: it is given names and rule files, and looks at no disk. The scan and "why is this file not indexed?"
// both ask here.
import picomatch from 'picomatch';
import type { Rule, RuleFile } from './ruleFile.ts';

/** The settings that decide what is indexed. */
export interface ScanSettings {
  /** `files.exclude` and `search.exclude` of the editor, with the names that a reason calls them by. */
  readonly editorExcludes: readonly {
    readonly setting: string;
    /** Globs relative to the workspace; only those that are `true` count. */
    readonly globs: Readonly<Record<string, boolean>>;
  }[];
  /** `retrieval.include`: globs, compared without case (`.PDF` is a PDF). */
  readonly include: readonly string[];
  /** `retrieval.exclude`: globs; one that begins with `!` takes back. */
  readonly exclude: readonly string[];
  /** `retrieval.maxFileMegabytes`, in bytes. */
  readonly maxFileBytes: number;
}

/**
 * What holds inside one folder. `excluded` is the rule that left the folder out; it is looked into all the same
 * when a later `!` rule names something beneath it.
 */
export interface FolderRules {
  /** Relative to the workspace, forward slashes; the workspace itself is ''. */
  readonly path: string;
  readonly excluded: { readonly rule: Rule; readonly layer: number } | null;
  /** `.git/info/exclude`, then `.gitignore` files from the workspace down to this folder. */
  readonly git: readonly RuleFile[];
  /** `.preflexorignore` files from the workspace down to this folder. */
  readonly own: readonly RuleFile[];
}

export interface Decision {
  readonly excluded: FolderRules['excluded'];
  /** The `!` rule that took it in, or null. */
  readonly takenIn: Rule | null;
  /** A folder that is worth looking into. */
  readonly open: boolean;
}

interface Glob {
  readonly rule: Rule;
  readonly matches: (path: string) => boolean;
}

/** Layers in the order of their say. Built-in rules give way to PRefLexOR's own layers only. */
const layers = { builtIn: 0, editor: 1, git: 2, setting: 3, own: 4 } as const;

export class Rules {
  readonly settings: ScanSettings;
  readonly #editor: readonly Glob[];
  readonly #setting: readonly Glob[];
  readonly #include: (path: string) => boolean;

  constructor(settings: ScanSettings) {
    this.settings = settings;
    this.#editor = settings.editorExcludes.flatMap(({ setting, globs }) =>
      Object.entries(globs)
        .filter(([, active]) => active)
        .map(([text]) => globOf(text, setting)),
    );
    this.#setting = settings.exclude.map((text) => globOf(text, 'preflexor.retrieval.exclude'));
    // picomatch takes an empty list for "everything".
    const include = settings.include.map((glob) =>
      picomatch(withoutDotSlash(glob), { dot: true, nocase: true }),
    );
    this.#include = (path) => include.some((matches) => matches(path));
  }

  /** Whether a glob of `retrieval.include` takes the file in. */
  includes(path: string): boolean {
    return this.#include(path);
  }

  /** Decides about the entry `name` of a folder. */
  decide(folder: FolderRules, name: string, isFolder: boolean): Decision {
    const never = neverIndexed(name);
    if (never) return { excluded: { rule: never, layer: Infinity }, takenIn: null, open: false };
    const path = folder.path === '' ? name : `${folder.path}/${name}`;
    const found = this.#lastMatch(folder, path, name, isFolder);
    // Nothing that speaks of this entry: what holds for its folder holds for it.
    if (!found) return this.#result(folder, path, isFolder, folder.excluded, null);
    if (found.rule.negated) return { excluded: null, takenIn: found.rule, open: isFolder };
    return this.#result(folder, path, isFolder, found, null);
  }

  #result(
    folder: FolderRules,
    path: string,
    isFolder: boolean,
    excluded: FolderRules['excluded'],
    takenIn: Rule | null,
  ): Decision {
    const open = isFolder && (excluded === null || this.#reachesInto(folder, path, excluded.layer));
    return { excluded, takenIn, open };
  }

  /** The last rule that matches the entry itself, among the layers after the one that left its folder out. */
  #lastMatch(folder: FolderRules, path: string, name: string, isFolder: boolean): FolderRules['excluded'] {
    const after = folder.excluded?.layer ?? -1;
    const ask: (() => Rule | null)[] = [];
    ask[layers.builtIn] = () => builtIn(name);
    ask[layers.editor] = () => lastGlob(this.#editor, path);
    ask[layers.git] = () => lastLine(folder.git, path, isFolder);
    ask[layers.setting] = () => lastGlob(this.#setting, path);
    ask[layers.own] = () => lastLine(folder.own, path, isFolder);
    for (let layer = ask.length - 1; layer > after; layer -= 1) {
      const rule = ask[layer]?.() ?? null;
      if (!rule) continue;
      const weak = rule.negated && layer < layers.setting ? builtIn(name) : null;
      // `!*.md` in a .gitignore speaks of git's rules; it does not ask for node_modules to be indexed.
      return weak ? { rule: weak, layer: layers.builtIn } : { rule, layer };
    }
    return null;
  }

  #reachesInto(folder: FolderRules, path: string, layer: number): boolean {
    const files = [...(layer < layers.git ? folder.git : []), ...(layer < layers.own ? folder.own : [])];
    if (files.some((file) => file.reachesInto(path))) return true;
    return (
      layer < layers.setting &&
      this.#setting.some(({ rule }) => rule.negated && globLeadsBeneath(rule.text.slice(1), path))
    );
  }
}

/** What is never indexed, whatever a rule says: git's own files, and texts that a model wrote. */
function neverIndexed(name: string): Rule | null {
  if (name === '.git') return builtInRule("git's own files are never indexed");
  if (name === '.preflexor') return builtInRule("PRefLexOR's own files are never indexed");
  return null;
}

function builtIn(name: string): Rule | null {
  if (name === 'node_modules') return builtInRule('node_modules is left out');
  if (name.startsWith('.')) return builtInRule('a name that begins with a dot is hidden, and left out');
  return null;
}

function builtInRule(text: string): Rule {
  return { place: { kind: 'built-in' }, text, negated: false };
}

function lastGlob(globs: readonly Glob[], path: string): Rule | null {
  return globs.findLast(({ matches }) => matches(path))?.rule ?? null;
}

/** The deepest file that has a matching line decides. */
function lastLine(files: readonly RuleFile[], path: string, isFolder: boolean): Rule | null {
  for (let index = files.length - 1; index >= 0; index -= 1) {
    const rule = files[index]?.match(path, isFolder);
    if (rule) return rule;
  }
  return null;
}

function globOf(text: string, setting: string): Glob {
  const negated = text.startsWith('!');
  const glob = withoutDotSlash(negated ? text.slice(1) : text);
  return {
    rule: { place: { kind: 'setting', name: setting }, text, negated },
    // A glob that begins with `!` was taken care of; one that matches a folder holds for all in it.
    matches: picomatch(glob.replace(/\/$/, ''), { dot: true, nonegate: true }),
  };
}

function withoutDotSlash(glob: string): string {
  return glob.replace(/^\.?\//, '');
}

/** As for rule files: a glob that names the way. One that begins with wildcards opens no excluded folder. */
function globLeadsBeneath(glob: string, folder: string): boolean {
  const base = picomatch.scan(withoutDotSlash(glob)).base;
  return (
    base !== '' && (base.startsWith(`${folder}/`) || (base !== glob && `${folder}/`.startsWith(`${base}/`)))
  );
}

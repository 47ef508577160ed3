// "Why is this file not indexed?", answered by the very steps that the scan takes.
import type { IndexedAnswer } from '../../protocol/index.ts';
import type { DocumentRecord } from '../ports.ts';
import { describeRule } from './ruleFile.ts';
import type { Visit, WorkspaceWalker } from './workspaceWalker.ts';

/**
 * @param path absolute, or relative to the workspace
 * @param recordOf what the index knows of a file, by its path relative to the workspace
 * Errors: `bad-input` when the workspace cannot be read, and those of `recordOf`.
 */
export async function explain(
  walker: WorkspaceWalker,
  path: string,
  recordOf: (path: string) => Promise<DocumentRecord | null>,
): Promise<IndexedAnswer> {
  const relative = walker.relative(path);
  if (relative === null) return no(path, 'excluded', `It does not lie in the folder ${walker.root}.`);
  const visit = await walker.find(relative);
  switch (visit.kind) {
    case 'missing':
      return no(relative, null, 'There is no such file.');
    case 'folder':
      return no(relative, null, 'It is a folder that is looked into; ask about a file in it.');
    case 'left-out':
    case 'refused':
      return no(relative, visit.code, visit.reason);
    case 'file':
      return told(relative, visit, await recordOf(relative));
  }
}

function told(
  path: string,
  visit: Extract<Visit, { kind: 'file' }>,
  record: DocumentRecord | null,
): IndexedAnswer {
  if (!record) return no(path, null, 'It is to be indexed, and has not been yet.');
  if (record.refusal) return no(path, record.refusal.code, record.refusal.reason);
  const because = visit.takenIn ? ` It is taken in by a rule. ${describeRule(visit.takenIn)}` : '';
  const chunks = record.chunks === 1 ? '1 passage' : `${record.chunks} passages`;
  return {
    path,
    indexed: true,
    chunks: record.chunks,
    code: null,
    reason: `It is indexed: ${chunks}.${because}`,
  };
}

function no(path: string, code: IndexedAnswer['code'], reason: string): IndexedAnswer {
  return { path, indexed: false, chunks: 0, code, reason };
}

// Whether the editor's own Node, which the language server runs on, is new enough. Pure.

/** The oldest major version that the server runs on. */
const oldest = 22;

/** A sentence for the writer when it is too old, else null. @param version as in `process.versions.node` */
export function nodeProblem(version: string): string | null {
  if (Number.parseInt(version, 10) >= oldest) return null;
  return `PRefLexOR needs Node ${oldest} or newer, and this editor runs on Node ${version}. Update the editor.`;
}

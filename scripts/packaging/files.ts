// Which files of a package of others are needed when it runs. Pure.

/** What is never read at run time, whoever made the package. Licences stay, whatever they are called. */
const idle = [
  /\.(d\.[cm]?ts|[cm]?ts|tsx|map|md|markdown|flow|gyp|yml|yaml)$/i,
  /(^|\/)(test|tests|__tests__|docs|examples?|benchmarks?|\.github|\.vscode)\//i,
  /(^|\/)(\.[^/]+|yarn\.lock|tsconfig[^/]*|[^/]+\.tsbuildinfo)$/,
];
const licence = /(^|\/)(licen[cs]e|copying|notice)[^/]*$/i;

/** Packages of which only some parts are used. */
const parts: Readonly<Record<string, readonly RegExp[]>> = {
  // Its sources of llama.cpp serve to compile, which the extension never does.
  'node-llama-cpp': [/^package\.json$/, /^dist\//, /^llama\/[^/]+\.json$/],
  'pdfjs-dist': [/^package\.json$/, /^legacy\/build\/pdf(\.worker)?\.mjs$/, /^(cmaps|standard_fonts)\//],
  'apache-arrow': [/^package\.json$/, /^[^/]+\.(js|mjs)$/, /^(builder|compute|fb|io|ipc|row|util|visitor)\//],
};

/** @param file relative to the package's folder, with forward slashes */
export function isNeeded(name: string, file: string): boolean {
  if (file.startsWith('node_modules/')) return false; // Packages inside are chosen on their own.
  if (licence.test(file)) return true;
  const wanted = parts[name];
  if (wanted !== undefined && !wanted.some((pattern) => pattern.test(file))) return false;
  return !idle.some((pattern) => pattern.test(file));
}

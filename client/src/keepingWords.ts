// What is said of pairs that were taken out or in, and of what was forgotten. Pure; every text is plain text.
import type { Forgotten, PairFormat, PairsExport, PairsImport } from '../../server/src/protocol/index.ts';

export interface FormatChoice {
  readonly format: PairFormat;
  readonly label: string;
  readonly description: string;
  /** How its file's name ends; null: it is a folder. */
  readonly extension: string | null;
}

export const formatChoices: readonly FormatChoice[] = [
  {
    format: 'trl',
    label: 'TRL, conversational',
    description: 'JSON lines; comes back without loss',
    extension: 'jsonl',
  },
  {
    format: 'trl-standard',
    label: 'TRL, standard',
    description: 'JSON lines of plain texts',
    extension: 'jsonl',
  },
  { format: 'kto', label: 'KTO', description: 'each text with its label, lone ones too', extension: 'jsonl' },
  {
    format: 'llamafactory',
    label: 'LLaMA-Factory',
    description: 'a folder with dataset_info.json',
    extension: null,
  },
  { format: 'axolotl', label: 'Axolotl', description: 'JSON lines', extension: 'jsonl' },
  { format: 'hf', label: 'Hugging Face', description: 'a folder with parquet and a card', extension: null },
  { format: 'csv', label: 'CSV', description: 'a table, lone ones too', extension: 'csv' },
];

export function exportWords({ exported, leftOut }: PairsExport): string {
  const reasons = [...Map.groupBy(leftOut, ({ reason }) => reason)].map(
    ([reason, left]) => `${left.length} left out: ${reason}.`,
  );
  return [`${counted(exported)} exported.`, ...reasons].join(' ');
}

export function importWords({ imported, known, refused }: PairsImport): string {
  return [
    `${counted(imported)} imported.`,
    ...(known > 0 ? [`${known} were here already.`] : []),
    ...(refused.length > 0 ? [`${refused.length} lines refused; the log says why.`] : []),
  ].join(' ');
}

/** What was removed, and below it what is out of reach. */
export function forgottenWords({ note, removed, adapters, remaining }: Forgotten): {
  readonly message: string;
  readonly detail: string;
} {
  const { ledger, runs, imported, documents } = removed;
  const what = [
    [ledger, 'decision'],
    [runs, 'run'],
    [imported, 'imported pair'],
    [documents, 'indexed file'],
    [adapters.marked.length, 'adapter'],
  ] as const;
  const parts = what
    .filter(([count]) => count > 0)
    .map(
      ([count, name]) => `${count} ${name}${count === 1 ? '' : 's'}${name === 'adapter' ? ' marked' : ''}`,
    );
  const subject = note ?? 'everything in this folder';
  const message =
    parts.length === 0 ? `Nothing was known of ${subject}.` : `Forgotten of ${subject}: ${parts.join(', ')}.`;
  return { message, detail: remaining.join('\n') };
}

function counted(count: number): string {
  return count === 1 ? '1 pair' : `${count} pairs`;
}

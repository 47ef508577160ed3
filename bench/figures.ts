// docs/figures.md out of bench/results: every figure with its peer's, its goal, the machine and the command that made it.
//   node bench/figures.ts            writes the page; a test holds it to the results
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { resultsFolder } from './measure.ts';

const page = join(import.meta.dirname, '..', 'docs', 'figures.md');

interface Row {
  readonly what: string;
  readonly ours: string;
  readonly peer?: string;
  readonly goal?: string;
}

/** What the page says of one benchmark; `Result` is as much of its file as is shown. */
interface Section<Result> {
  readonly benchmark: string;
  /** Where it is not bench/BENCHMARK.ts. */
  readonly script?: string;
  readonly title: string;
  /** What the second column of figures is. */
  readonly peer?: string;
  readonly result: z.ZodType<Result>;
  readonly rows: (result: Result) => readonly Row[];
  /** Pictures in the folder of bench/results that has its name. */
  readonly plots?: (result: Result) => readonly string[];
}

const section = <Result>(one: Section<Result>): Section<Result> => one;
const n = z.number();
const Latency = z.object({ name: z.string(), p50: n, p95: n });
const Interval = z.object({ mean: n, low: n, high: n });
const Scores = z.object({ ndcg10: n, hit5: n });
const Opened = z.object({
  ...{ seconds: n, chunks: n, serverMegabytes: n },
  foldsAndLensesMs: z.object({ median: n, p95: n, longest: n }),
});
const Times = z.object({ median: n, p95: n, longest: n });
const Perplexities = z.record(z.string(), n);
const TrainerRun = z.object({ tokensPerSecond: n, peakBytes: n });

function said(value: number, unit = ''): string {
  const figure =
    Math.abs(value) >= 1000
      ? Math.round(value).toLocaleString('en-US')
      : String(Number(value.toPrecision(3)));
  return unit === '' ? figure : `${figure} ${unit}`;
}

const threadsText = (threads: number): string => (threads === 1 ? 'one thread' : `${said(threads)} threads`);

const trainerRun = ({ tokensPerSecond, peakBytes }: z.infer<typeof TrainerRun>): string =>
  `${said(tokensPerSecond)}, ${said(peakBytes / 2 ** 20, 'MiB')}`;

const papers = (changes: Readonly<Record<string, number>>): string =>
  Object.entries(changes)
    .map(([paper, percent]) => `${paper} ${percent > 0 ? '+' : ''}${said(percent, '%')}`)
    .join(', ');

const Pace = z.object({ name: z.string(), firstMs: n, tokensPerSecond: n });
const pace = ({ firstMs, tokensPerSecond }: z.infer<typeof Pace>): string =>
  `${said(firstMs, 'ms')}, ${said(tokensPerSecond)}`;

const sections = [
  section({
    benchmark: 'generation',
    title: 'The engine beside a bare loop over node-llama-cpp',
    peer: 'bare loop',
    result: z.object({
      contenders: z.tuple([Pace], Pace),
      ratios: z.record(z.string(), z.object({ firstToken: n, tokensPerSecond: n })),
    }),
    rows: ({ contenders: [engine, ...bare], ratios }) => [
      ...bare.map((one) => ({
        what: `first token, tokens a second; ${one.name}`,
        ours: pace(engine),
        peer: pace(one),
      })),
      ...Object.entries(ratios).map(([against, { firstToken, tokensPerSecond }]) => ({
        what: against === 'againstBest' ? 'against its best number of threads' : 'against its default',
        ours: `${said(firstToken)} × at the first token, ${said(tokensPerSecond)} × in tokens a second`,
      })),
    ],
  }),
  section({
    benchmark: 'recursion',
    title: 'Three iterations of reasoning, from the cache',
    peer: 'each prompt from nothing',
    result: z.object({
      ...{ iterations: n, steps: n, openingTokens: n, sameText: z.string() },
      generatedTokens: z.object({ ours: n, fromNothing: n }),
      secondsOfRun: z.object({ ours: n, fromNothing: n, ratio: n }),
      evaluatedToNew: z.object({ whole: n, worstStep: n }),
      secondsFromStopToIdle: z.object({ worst: n }),
    }),
    rows: (result) => [
      {
        what: `seconds of ${said(result.steps)} steps`,
        ours: said(result.secondsOfRun.ours),
        peer: `${said(result.secondsOfRun.fromNothing)} (${said(result.secondsOfRun.ratio)} ×)`,
        goal: '2 ×',
      },
      {
        what: 'tokens written',
        ours: said(result.generatedTokens.ours),
        peer: `${said(result.generatedTokens.fromNothing)}; same text at ${result.sameText}`,
      },
      {
        what: 'prompt tokens evaluated to new ones, whole run and worst step',
        ours: `${said(result.evaluatedToNew.whole)}, ${said(result.evaluatedToNew.worstStep)}`,
        goal: 'at most 1.05',
      },
      {
        what: 'from Stop to an idle processor',
        ours: said(result.secondsFromStopToIdle.worst, 's'),
        goal: 'below 1 s',
      },
    ],
  }),
  section({
    benchmark: 'embedding',
    title: 'Embedding',
    peer: 'bare loop',
    result: z.object({
      byThreads: z.array(
        z.object({ threads: n, embedderChunksPerSecond: n, bareChunksPerSecond: n, ratio: n }),
      ),
      carryingMillisecondsPerChunk: n,
    }),
    rows: ({ byThreads, carryingMillisecondsPerChunk }) => [
      ...byThreads.map(({ threads, embedderChunksPerSecond, bareChunksPerSecond, ratio }) => ({
        what: `chunks a second, ${threadsText(threads)}`,
        ours: said(embedderChunksPerSecond),
        peer: `${said(bareChunksPerSecond)} (${said(ratio)} ×)`,
      })),
      { what: 'carrying one to the host and back', ours: said(carryingMillisecondsPerChunk, 'ms') },
    ],
  }),
  section({
    benchmark: 'readers',
    title: 'Reading and cutting documents',
    result: z.object({ megabytesPerSecond: z.record(z.string(), n), millisecondsPerPdfPage: n }),
    rows: ({ megabytesPerSecond, millisecondsPerPdfPage }) => [
      ...Object.entries(megabytesPerSecond).map(([what, rate]) =>
        what.includes(' parses ')
          ? { what: `${what}: MB of a processor second`, ours: '', peer: said(rate) }
          : { what: `${what}: MB of a processor second`, ours: said(rate) },
      ),
      { what: 'a page of a PDF', ours: said(millisecondsPerPdfPage, 'ms') },
    ],
  }),
  section({
    benchmark: 'retrieval',
    title: 'Search at several sizes',
    peer: 'bare LanceDB',
    result: z.object({
      sizes: z.array(
        z.object({
          ...{ rows: n, indexSeconds: n, reopenSeconds: n, bytesPerChunk: n, memoryMiB: n },
          latencyMs: z.array(Latency),
          recallAt10: z.object({ 'vector search, ids': n, 'bare vector search, ids': n }),
        }),
      ),
    }),
    rows: ({ sizes }) =>
      sizes.flatMap(({ rows, latencyMs, recallAt10, indexSeconds, bytesPerChunk }) => {
        const p95 = (name: string): number => latencyMs.find((one) => one.name === name)?.p95 ?? NaN;
        const size = `${rows.toLocaleString('en-US')} chunks`;
        return [
          {
            what: `${size}: vector search, p95`,
            ours: said(p95('vector search, ids'), 'ms'),
            peer: said(p95('bare vector search, ids'), 'ms'),
            goal: '1.2 × bare',
          },
          {
            what: `${size}: recall@10`,
            ours: said(recallAt10['vector search, ids']),
            peer: said(recallAt10['bare vector search, ids']),
            goal: '0.97',
          },
          {
            what: `${size}: hybrid search with its passages, p95`,
            ours: said(p95('hybrid'), 'ms'),
            ...(rows === 1_000_000 && { goal: '15 ms' }),
          },
          {
            what: `${size}: index built, bytes a chunk`,
            ours: `${said(indexSeconds, 's')}, ${said(bytesPerChunk)}`,
          },
        ];
      }),
  }),
  section({
    benchmark: 'retrievalQuality',
    title: 'What is found',
    peer: 'vectors alone · words alone',
    result: z.object({
      questions: z.object({ answerable: n, withoutSharedWords: n, unanswerable: n }),
      quality: z.object({
        all: z.object({ vector: Scores, text: Scores, hybrid: Scores, shipped: Scores }),
      }),
      lead: z.object({
        all: z.object({
          overVector: z.object({ ndcg10: Interval }),
          overText: z.object({ ndcg10: Interval }),
        }),
      }),
      nothingRelevant: z.object({
        asShipped: z.object({ everydayRefused: n, answerableGetPassages: n, unanswerableRefused: n }),
      }),
    }),
    rows: ({ questions, quality: { all }, lead, nothingRelevant: { asShipped } }) => [
      ...(['ndcg10', 'hit5'] as const).map((score) => ({
        what: `${score === 'ndcg10' ? 'nDCG@10' : 'hit@5'} over ${said(questions.answerable)} questions`,
        ours: `${said(all.hybrid[score])} (as shipped, with diversity: ${said(all.shipped[score])})`,
        peer: `${said(all.vector[score])} · ${said(all.text[score])}`,
        goal: 'ahead of both',
      })),
      {
        what: 'lead in nDCG@10, with its 95 % interval',
        ours: [lead.all.overVector.ndcg10, lead.all.overText.ndcg10]
          .map(({ mean, low, high }) => `${said(mean)} [${said(low)}, ${said(high)}]`)
          .join(' · '),
      },
      {
        what: 'answerable questions that get passages',
        ours: said(asShipped.answerableGetPassages),
      },
      {
        what: `questions refused: of another field, of all ${said(questions.unanswerable)} without an answer`,
        ours: `${said(asShipped.everydayRefused)}, ${said(asShipped.unanswerableRefused)}`,
      },
    ],
  }),
  section({
    benchmark: 'indexing',
    title: 'Indexing',
    peer: 'a bare loop of embedding',
    result: z.object({
      ...{ notes: n, chunks: n, ratioMedian: n, parts: z.string() },
      rounds: z.array(
        z.object({
          bare: z.object({ chunksPerSecond: n }),
          index: z.object({ chunksPerSecond: n, longestStallMs: n, peakMegabytes: n }),
          again: z.object({ seconds: n, embedded: n }),
        }),
      ),
    }),
    rows: ({ chunks, rounds, ratioMedian, parts }) => [
      {
        what: `${said(chunks)} chunks, ${parts}: chunks a second, each round`,
        ours: rounds.map(({ index }) => said(index.chunksPerSecond)).join(', '),
        peer: rounds.map(({ bare }) => said(bare.chunksPerSecond)).join(', '),
        goal: `0.95 of it; median ${said(ratioMedian)}`,
      },
      {
        what: 'longest stall of the event loop, peak memory',
        ours: `${said(Math.max(...rounds.map(({ index }) => index.longestStallMs)), 'ms')}, ${said(Math.max(...rounds.map(({ index }) => index.peakMegabytes)), 'MB')}`,
      },
      {
        what: 'looking at it again: embedded, seconds',
        ours: `${said(Math.max(...rounds.map(({ again }) => again.embedded)))}, ${said(Math.max(...rounds.map(({ again }) => again.seconds)))}`,
        goal: '0 embedded',
      },
    ],
  }),
  section({
    benchmark: 'manyNotes',
    title: 'A folder of many notes in the editor',
    result: z.object({
      notes: n,
      indexing: Opened,
      openedAgain: Opened,
    }),
    rows: ({ notes, indexing, openedAgain }) =>
      (
        [
          ['while they are indexed', indexing],
          ['opened again', openedAgain],
        ] as const
      ).map(([what, { seconds, chunks, foldsAndLensesMs, serverMegabytes }]) => ({
        what: `${said(notes)} notes, ${what}: folds and lenses after a key press, p95 and longest`,
        ours: `${said(foldsAndLensesMs.p95, 'ms')}, ${said(foldsAndLensesMs.longest, 'ms')}; ${said(chunks)} chunks after ${said(seconds, 's')}, ${said(serverMegabytes, 'MB')}`,
        goal: 'at most 250 ms',
      })),
  }),
  section({
    benchmark: 'graphExport',
    title: 'Export of a large knowledge graph',
    result: z.object({
      edges: n,
      formats: z.record(z.string(), z.object({ megabytes: n, seconds: n, peakMegabytes: n })),
    }),
    rows: ({ edges, formats }) =>
      Object.entries(formats).map(([format, { megabytes, seconds, peakMegabytes }]) => ({
        what: `${said(edges)} edges as ${format}: size, seconds, peak memory`,
        ours: `${said(megabytes, 'MB')}, ${said(seconds, 's')}, ${said(peakMegabytes, 'MB')}`,
        goal: 'below 1,000 MB',
      })),
  }),
  section({
    benchmark: 'activation',
    title: 'Activation of the extension',
    peer: 'VS Code’s markdown extension',
    result: z.object({ activationMs: z.object({ ours: n, peer: n, ratio: n }) }),
    rows: ({ activationMs: { ours, peer, ratio } }) => [
      {
        what: 'milliseconds',
        ours: said(ours),
        peer: `${said(peer)} (${said(ratio)} ×)`,
        goal: 'below 100',
      },
    ],
  }),
  section({
    benchmark: 'server',
    title: 'The language server',
    peer: "VS Code's own markdown server · our own when idle",
    result: z.object({
      startMs: z.object({ ours: n, peer: n }),
      foldsAndLensesMs: z.object({
        whileGenerating: z.object({ p95: n }),
        idle: z.object({ p95: n }),
      }),
    }),
    rows: ({ startMs, foldsAndLensesMs: { whileGenerating, idle } }) => [
      {
        what: 'start',
        ours: said(startMs.ours, 'ms'),
        peer: said(startMs.peer, 'ms'),
        goal: 'below 500 ms',
      },
      {
        what: 'folds and lenses of a note of 1 MB while the model writes, p95',
        ours: said(whileGenerating.p95, 'ms'),
        peer: said(idle.p95, 'ms'),
        goal: 'below 50 ms',
      },
    ],
  }),
  section({
    benchmark: 'ledger',
    title: 'A long ledger',
    result: z.object({
      ...{ entries: n, megabytes: n, readSeconds: n, readMegabytes: n, deriveSeconds: n, pairs: n },
      peakMegabytes: n,
    }),
    rows: (result) => [
      {
        what: `reading ${said(result.entries)} entries, ${said(result.megabytes, 'MB')}`,
        ours: `${said(result.readSeconds, 's')}, ${said(result.readMegabytes, 'MB')}`,
        goal: 'below 2 s, 300 MB',
      },
      {
        what: `deriving ${said(result.pairs)} pairs from them`,
        ours: `${said(result.deriveSeconds, 's')}, ${said(result.peakMegabytes, 'MB')} at its peak`,
      },
    ],
  }),
  section({
    benchmark: 'ledgerKills',
    title: 'Decisions and killed processes',
    result: z.object({ kills: n, acknowledged: n, lost: n }),
    rows: ({ kills, acknowledged, lost }) => [
      {
        what: `${said(kills)} random kills while decisions were written: acknowledged, and lost of them`,
        ours: `${said(acknowledged)}, ${said(lost)}`,
        goal: '0 lost',
      },
    ],
  }),
  section({
    benchmark: 'board',
    script: 'bench/webview/board.ts',
    title: 'The curation board',
    result: z.object({
      ...{ pairs: n, jumpMs: Times, frameWhileScrollingMs: Times, filterAndOrderMs: Times },
      searchMs: Times,
    }),
    rows: ({ pairs, jumpMs, frameWhileScrollingMs, filterAndOrderMs, searchMs }) =>
      (
        [
          ['jump to a far row', jumpMs],
          ['a frame while it scrolls', frameWhileScrollingMs],
          ['filter or order', filterAndOrderMs],
          ['search', searchMs],
        ] as const
      ).map(([what, { p95, longest }]) => ({
        what: `${said(pairs)} pairs: ${what}, p95 and longest`,
        ours: `${said(p95, 'ms')}, ${said(longest, 'ms')}`,
        goal: 'below 100 ms',
      })),
  }),
  section({
    benchmark: 'workerLatency',
    title: 'Reasoning while the machine trains',
    peer: 'without training',
    result: z.object({
      secondsWithout: z.object({ median: n, p95: n }),
      secondsBeside: z.object({ median: n, p95: n }),
      ...{ ratioOfP95: n, requests: n },
    }),
    rows: ({ requests, secondsWithout, secondsBeside, ratioOfP95 }) => [
      {
        what: `a draft of ${said(requests)} requests each, median and p95`,
        ours: `${said(secondsBeside.median, 's')}, ${said(secondsBeside.p95, 's')} (${said(ratioOfP95)} × at p95)`,
        peer: `${said(secondsWithout.median, 's')}, ${said(secondsWithout.p95, 's')}`,
        goal: 'p95 at most 1.1 ×',
      },
    ],
  }),
  section({
    benchmark: 'samples',
    title: 'Samples for self-teaching',
    peer: 'the bare loop',
    result: z.object({
      ...{ attempts: n, kept: n, samplesPerHour: n, tokensPerSample: n },
      tokensPerSecond: z.object({ ours: n, bare: n, ratio: n }),
    }),
    rows: ({ attempts, kept, samplesPerHour, tokensPerSample, tokensPerSecond }) => [
      {
        what: `samples an hour, and kept of ${said(attempts)}`,
        ours: `${said(samplesPerHour)}, ${said(kept)}; ${said(tokensPerSample)} tokens each`,
      },
      {
        what: 'tokens written a second, prompts being read beside',
        ours: `${said(tokensPerSecond.ours)} (${said(tokensPerSecond.ratio)} ×)`,
        peer: said(tokensPerSecond.bare),
      },
    ],
  }),
  section({
    benchmark: 'gate',
    title: 'Which adapters the gate offers',
    peer: 'the same pairs, half of them swapped',
    result: z.object({
      steps: n,
      offered: z.object({ clean: z.string(), halfSwapped: z.string() }),
    }),
    rows: ({ steps, offered: { clean, halfSwapped } }) => [
      {
        what: `style pairs, phase I of ${said(steps)} steps: adapters offered`,
        ours: clean,
        peer: halfSwapped,
        goal: 'all of the clean ones, none of the others',
      },
    ],
  }),
  section({
    benchmark: 'forgetting',
    title: 'Learning without forgetting',
    peer: 'TRL’s adapter',
    result: z.object({
      questions: n,
      trlReferencePercent: z.record(z.string(), Perplexities),
      results: z.array(
        z.object({
          ...{ variant: z.string(), seed: n, accuracy: n, margin: n, markerFirst: n },
          perplexityChangePercent: Perplexities,
        }),
      ),
    }),
    rows: ({ questions, trlReferencePercent, results }) => [
      ...Object.entries(trlReferencePercent).map(([numbers, changes]) => ({
        what: `no anchor, ${numbers}`,
        ours: '',
        peer: `perplexity ${papers(changes)}`,
      })),
      ...results
        .toSorted((one, other) => one.variant.localeCompare(other.variant) || one.seed - other.seed)
        .map((row) => ({
          what: `${row.variant}; seed ${said(row.seed)}`,
          ours: `accuracy ${said(row.accuracy)}, margin ${said(row.margin)}, marker first ${said(row.markerFirst)} of ${said(questions)}; perplexity ${papers(row.perplexityChangePercent)}`,
          goal: '1.0, 0.25, at least 30; at most +5 %',
        })),
    ],
  }),
  section({
    benchmark: 'trainer',
    title: 'The trainer',
    peer: 'TRL, float32',
    result: z.object({
      results: z.array(
        z.object({
          ...{ loss: z.string(), length: z.string(), threads: n, ours: TrainerRun },
          ...{ trl: TrainerRun.optional(), speedRatio: n.optional(), memoryRatio: n.optional() },
          trlInBfloat16: z.record(z.string(), TrainerRun).optional(),
          speedRatioToItsBest: n.optional(),
        }),
      ),
    }),
    rows: ({ results }) =>
      results.flatMap(
        ({ loss, length, threads, ours, trl, speedRatio = NaN, memoryRatio = NaN, ...more }) => {
          const what = `${loss === 'orpo' ? 'ORPO' : 'EXO'}, ${length === 'golden' ? 'the golden pairs' : `${length} tokens a side`}, ${threadsText(threads)}`;
          const beside = {
            what: `${what}: tokens a second, peak memory`,
            ours: trainerRun(ours),
            ...(trl && {
              peer: `${trainerRun(trl)} (speed ${said(speedRatio)} ×, memory ${said(memoryRatio)} ×)`,
            }),
            goal: 'ahead of it; a tenth of its memory',
          };
          if (!more.trlInBfloat16 || more.speedRatioToItsBest === undefined) return [beside];
          const modes = Object.entries(more.trlInBfloat16).map(([mode, run]) => `${mode} ${trainerRun(run)}`);
          const best = {
            what: `${what}: beside TRL’s bfloat16, and its best`,
            ours: `${said(more.speedRatioToItsBest)} × its best`,
            peer: modes.join('; '),
            goal: 'stretch: 1.5 ×',
          };
          return [beside, best];
        },
      ),
  }),
  section({
    benchmark: 'teach',
    title: 'The whole loop, from notes to the verdict',
    peer: 'before',
    result: z.object({
      ...{ threads: n, samples: n, minutes: z.record(z.string(), n), minutesInAll: n },
      phases: z.array(
        z.object({
          ...{ phase: n, attempts: n, kept: n, offered: z.boolean() },
          checks: z.array(
            z.object({
              ...{ name: z.string(), passed: z.boolean(), before: n.nullable(), after: n.nullable() },
              change: z.object({ low: n.nullable(), high: n.nullable(), n }),
            }),
          ),
        }),
      ),
      plots: z.array(z.string()),
    }),
    rows: ({ threads, samples, minutes, minutesInAll, phases }) => [
      {
        what: `minutes for ${said(samples)} samples on ${threadsText(threads)}`,
        ours: `${said(minutesInAll)} (${Object.entries(minutes)
          .map(([part, took]) => `${part} ${said(took)}`)
          .join(', ')})`,
      },
      ...phases.flatMap(({ phase, attempts, kept, offered, checks }) => [
        {
          what: `phase ${said(phase)}: samples kept, and the gate’s verdict`,
          ours: `${said(kept)} of ${said(attempts)}; ${offered ? 'offered' : 'kept back'}`,
        },
        ...checks.map(({ name, passed, before, after, change: { low, high, n: count } }) => ({
          what: `phase ${said(phase)}: ${name.replace('-', ' ')} on ${said(count)} held out`,
          ours: `${after === null ? '–' : said(after)}${low === null || high === null ? '' : ` (change ${said(low)} to ${said(high)})`}; ${passed ? 'passed' : 'not passed'}`,
          peer: before === null ? '–' : said(before),
        })),
      ]),
    ],
    plots: ({ plots }) => plots,
  }),
];

const Machine = z.object({ machine: z.object({ cpu: z.string(), cores: n, memoryGiB: n, load: n }) });

function rendered<Result>({
  benchmark,
  script = `bench/${benchmark}.ts`,
  title,
  peer,
  result,
  rows,
  plots,
}: Section<Result>): string[] {
  const file = join(resultsFolder, `${benchmark}.json`);
  if (!existsSync(file)) return [];
  const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const { machine } = Machine.parse(json);
  const parsed = result.parse(json);
  const shown = rows(parsed);
  const pictures = plots?.(parsed) ?? [];
  const cells = (values: readonly string[]): string => `| ${values.join(' | ')} |`;
  return [
    `## ${title}`,
    `\`node ${script} --write\` · ${said(machine.cores)} cores of ${machine.cpu}, ${said(machine.memoryGiB)} GiB; load ${said(machine.load)} when it ended`,
    [
      cells(['', 'ours', peer ?? 'peer', 'goal']),
      cells(['---', '---', '---', '---']),
      ...shown.map((row) => cells([row.what, row.ours, row.peer ?? '', row.goal ?? ''])),
    ].join('\n'),
    ...pictures.map((plot) => `![${title}: ${plot}](../bench/results/${benchmark}/${plot})`),
  ];
}

/** The page as the results have it. */
export function figuresPage(): string {
  return [
    '# Figures',
    '<!-- Written by `node bench/figures.ts` out of bench/results; a test holds it to them. -->',
    'Each benchmark is one command and writes one file. Machines differ, and a busy one is slow: what counts is the ratio to the peer of the same run. A load above the number of cores says that other work ran beside it.',
    ...sections.flatMap((one) => rendered(one as Section<unknown>)),
  ]
    .join('\n\n')
    .concat('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(page, figuresPage());

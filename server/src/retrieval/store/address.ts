// Where an index is kept, and the connection to it. LanceDB's object store reads credentials, endpoint and
// region from the environment by itself (AWS_ACCESS_KEY_ID, AWS_ENDPOINT, AWS_REGION, AWS_ALLOW_HTTP,
// GOOGLE_SERVICE_ACCOUNT, AZURE_STORAGE_ACCOUNT_KEY …), so nothing secret passes through here.
import path from 'node:path';
import { connect, type Connection } from '@lancedb/lancedb';
import { PreflexorError } from '../../errors.ts';
import { makeFolders } from '../../state/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type Address =
  | { readonly kind: 'folder'; readonly uri: string }
  /** An object store: `s3://`, `gs://`, `az://`. */
  | { readonly kind: 'bucket'; readonly uri: string }
  /** LanceDB Cloud or Enterprise: `db://name`. */
  | { readonly kind: 'cloud'; readonly uri: string };

/**
 * Seconds after which a reader looks for what other processes have written. On a disk that costs a look into
 * one folder, in a bucket a request.
 */
const freshness = { folder: 1, bucket: 5, cloud: 5 } as const;

/**
 * Reads what the setting `retrieval.address` says.
 * @throws PreflexorError `bad-input` for a scheme that is not known
 */
export function parseAddress(text: string): Address {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: 'folder', uri: path.resolve(text) };
  const uri = text.replace(/\/+$/, '');
  if (['s3', 'gs', 'az'].includes(scheme)) return { kind: 'bucket', uri };
  if (scheme === 'db') return { kind: 'cloud', uri };
  throw new PreflexorError('bad-input', `An index cannot be kept at ${text}.`, {
    remedy: 'Use a folder, s3://bucket/path, gs://bucket/path, az://container/path or db://name.',
  });
}

export interface ConnectOptions {
  /** Makes a folder that is not there yet. */
  readonly create: boolean;
  readonly freshnessSeconds?: number;
  readonly environment?: Environment;
}

/**
 * Opens a connection. It is kept open as long as the index is.
 * @throws PreflexorError `read-only`, `disk-full`, `bad-input` when the folder cannot be made
 */
export async function connectTo(address: Address, options: ConnectOptions): Promise<Connection> {
  const environment = options.environment ?? process.env;
  if (address.kind === 'folder' && options.create) await makeFolders(address.uri, { mode: 0o700 });
  const shared = { readConsistencyInterval: options.freshnessSeconds ?? freshness[address.kind] };
  if (address.kind !== 'cloud') return connect(address.uri, shared);
  // Not run by any test here: there is no such service to be had on one machine.
  const apiKey = environment['LANCEDB_API_KEY'] || undefined;
  if (apiKey === undefined) {
    throw new PreflexorError('bad-input', `For ${address.uri} a key of LanceDB Cloud is needed.`, {
      remedy: 'Put it into the environment variable LANCEDB_API_KEY.',
    });
  }
  const region = environment['LANCEDB_REGION'] || 'us-east-1';
  return connect(address.uri, { ...shared, apiKey, region });
}

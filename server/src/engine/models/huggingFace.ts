// Where a file of a Hugging Face repository is, and how patiently it is asked for. Fetches nothing.
import { PreflexorError } from '../../errors.ts';
import type { DownloadPolicy } from './download.ts';

/** `HF_ENDPOINT` names a mirror, as it does for huggingface_hub. */
export function huggingFaceAddress(
  { repository, revision, path: file }: { repository: string; revision: string; path: string },
  environment: NodeJS.ProcessEnv,
): string {
  const endpoint = environment['HF_ENDPOINT'] || 'https://huggingface.co';
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new PreflexorError(
      'bad-input',
      `The environment variable HF_ENDPOINT is not a web address: ${endpoint}.`,
      {
        remedy: 'Give it an address that begins with https://, or remove it.',
      },
    );
  }
  const path = [...repository.split('/'), 'resolve', revision, ...file.split('/')];
  return `${endpoint.replace(/\/+$/, '')}/${path.map(encodeURIComponent).join('/')}`;
}

/** Where there is another source to try, one that is out of reach is given up quickly. */
export function impatient(policy: DownloadPolicy): DownloadPolicy {
  return { ...policy, connectMs: Math.min(policy.connectMs, 5_000), attemptsToReach: 1 };
}

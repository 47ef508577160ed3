// Types of bootstrap.mjs, which is plain JavaScript because it runs before anything is installed.
export const repository: string;
export function main(script: string, lastLine?: string): Promise<number>;
export function dependenciesMatch(folder: string): boolean;
export function pathFirst(environment: NodeJS.ProcessEnv, folder: string): NodeJS.ProcessEnv;

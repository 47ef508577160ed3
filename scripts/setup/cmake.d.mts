// Types of cmake.mjs, which is plain JavaScript because the trainer's build runs before anything is built.
export function runs(program: string, args: readonly string[]): boolean;
export function findCmake(cache: string): string | undefined;

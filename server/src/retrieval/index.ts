// The room's public face. Its ports so far; the parts that implement them stand beside them.
export type * from './ports.ts';

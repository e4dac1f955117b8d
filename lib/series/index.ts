/** What many events make together, for every store alike: one order, columns, windows, tiles. Pure: no clock, no disk. */
export * from "./by-reading.ts";
export * from "./columns/block.ts";
export type { Sample } from "./meaning.ts";
export { mergeRuns } from "./merge.ts";
export * from "./rollup.ts";
export * from "./rollup-bytes.ts";
export * from "./tiles.ts";
export * from "./windows.ts";

/**
 * How deep the heaviest random and volume tests go: 1 in `npm test`, which everybody waits for; more in `npm run test:peers` (vitest.peers.config.ts), which runs
 * them again. A person may set HEARTHLINE_TEST_DEPTH for one file too.
 */
const DEPTH = depthOf(process.env.HEARTHLINE_TEST_DEPTH);

function depthOf(text = "1"): number {
  const depth = Number(text);
  if (!(depth >= 1)) throw new Error(`HEARTHLINE_TEST_DEPTH is "${text}"; wanted is a number from 1 on.`);
  return depth;
}

/** Runs of a property. */
export const runs = (count: number): number => Math.round(count * DEPTH);

/** Part of the whole volume, at most all of it. */
export const share = (part: number): number => Math.min(1, part * DEPTH);

/** One of so many is taken; in the end all are. */
export const oneOf = (count: number): number => Math.max(1, Math.round(count / DEPTH));

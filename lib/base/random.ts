/** Chance as an argument: a number in [0, 1) each time it is asked. */
export type Random = () => number;

export const systemRandom: Random = () => Math.random();

/**
 * The same numbers for the same seed (mulberry32, 32 bits of state, period 2^32): for simulations and tests, never for secrets.
 * Source of the mixing constants: Tommy Ettinger's public-domain mulberry32.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

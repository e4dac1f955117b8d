import fc from "fast-check";

/**
 * HEARTHLINE_TEST_SEED: the seed of every property, a whole number. `.ci/run` sets one, as it does for the chaos, so that what fails there can be looked at;
 * without it each run draws its own and so looks somewhere else.
 */
const text = process.env.HEARTHLINE_TEST_SEED;
if (text !== undefined) {
  const seed = Number(text);
  if (text === "" || !Number.isSafeInteger(seed))
    throw new Error(`HEARTHLINE_TEST_SEED is "${text}"; wanted is a whole number.`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
}

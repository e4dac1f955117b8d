import fc from "fast-check";

/**
 * So long a property looks, and shrinks what it found, at most: less than a test may take (vitest.config.ts). A property whose test is over goes on in its worker
 * else, and takes the time of the files behind it. On a slow machine it has looked at fewer cases then; what it found by then is told.
 */
const TIME_LIMIT_MS = 100_000;
fc.configureGlobal({ ...fc.readConfigureGlobal(), interruptAfterTimeLimit: TIME_LIMIT_MS });

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

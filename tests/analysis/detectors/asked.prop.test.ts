import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { significant, type Tests } from "../../../lib/analysis/detectors/asked.ts";

interface Named {
  readonly key: string;
  readonly p: number;
}

const MOST_Q = 0.05;

/** Around the limit: there it is close. */
const pValues = fc.array(
  fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true })),
  {
    minLength: 1,
    maxLength: 30,
  },
);

const namedOf = (values: readonly number[]): Named[] => values.map((p, index) => ({ key: `key-${index}`, p }));

const keysOf = (tests: readonly (readonly [Named, number])[]) => tests.map(([{ key }]) => key);

/** What is significant in all tests of a look, and in those that are asked for. */
function look(tests: readonly Named[], { family, whole, asked }: { family: number; whole: object; asked: string[] }) {
  const testsOf = (only?: ReadonlySet<string>): Tests<Named> => ({
    tests: only ? tests.filter(({ key }) => only.has(key)) : tests,
    family: only ? Number.NaN : family,
  });
  const all = keysOf(significant({}, { mostQ: MOST_Q, testsOf }));
  const few = keysOf(significant({ whole, asked: new Set(asked) } as never, { mostQ: MOST_Q, testsOf }));
  return { all, few };
}

describe("tests of which only some are asked for", () => {
  it("are significant exactly where they are among all others", () => {
    fc.assert(
      fc.property(pValues, fc.nat(20), fc.nat(20), fc.func(fc.boolean()), (values, more, gone, isAsked) => {
        const tests = namedOf(values);
        const whole = {};
        const family = tests.length + more;
        // The first look of the night, at everything: its family is no smaller.
        significant(whole, { mostQ: MOST_Q, testsOf: () => ({ tests, family: family + gone }) });
        const asked = tests.map(({ key }) => key).filter(isAsked);
        const { all, few } = look(tests, { family, whole, asked });
        expect(few.filter((key) => asked.includes(key))).toEqual(all.filter((key) => asked.includes(key)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("are not worked out beside what is asked for where that tells it", () => {
    const tests = namedOf([1e-9, 0.04, 0.9]);
    const whole = {};
    significant(whole, { mostQ: MOST_Q, testsOf: () => ({ tests, family: 100 }) });
    const wanted: (readonly string[] | undefined)[] = [];
    const testsOf = (only?: ReadonlySet<string>): Tests<Named> => {
      wanted.push(only && [...only]);
      return { tests: only ? tests.filter(({ key }) => only.has(key)) : tests, family: 100 };
    };
    const night = (key: string) => ({ whole, asked: new Set([key]) }) as never;
    expect(keysOf(significant(night("key-0"), { mostQ: MOST_Q, testsOf }))).toEqual(["key-0"]);
    expect(keysOf(significant(night("key-2"), { mostQ: MOST_Q, testsOf }))).toEqual([]);
    expect(wanted).toEqual([["key-0"], ["key-2"]]);
    // Alone it would not be: what the others are decides it.
    significant(night("key-1"), { mostQ: MOST_Q, testsOf });
    expect(wanted.slice(2)).toEqual([["key-1"], undefined]);
  });
});

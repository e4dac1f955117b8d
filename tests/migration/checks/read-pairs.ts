import { type Random, seededRandom } from "../../../lib/base/random.ts";
import type { Check, CheckContext, CheckResult, Migration, ReadPair } from "../../../lib/migration/ports.ts";
import { START_US, startedOf } from "../../support/migrations.ts";

const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** A migration whose pairs lie in memory, and one check of it, stepped by hand. */
export function watched(
  makeCheck: (store: { pairs: (h: string, i: string, after: number) => Promise<ReadPair[]> }) => Check,
) {
  let all: ReadPair[] = [];
  let memory: unknown;
  let nowUs = START_US;
  let migration: Migration = startedOf({ state: "shadow", sinceUs: START_US });
  const check = makeCheck({ pairs: async (_home, _id, afterUs) => all.filter(({ atUs }) => atUs > afterUs) });
  const context = (): CheckContext => ({ migration, nowUs, memory, signal: new AbortController().signal });
  const look = async (): Promise<readonly CheckResult[]> => {
    const outcome = await check.run(context());
    // As a store does.
    if (outcome.memory !== undefined) memory = JSON.parse(JSON.stringify(outcome.memory));
    return outcome.results;
  };
  return {
    look,
    /** Runs it as a step that is killed before its commit. */
    lookInVain: () => check.run(context()),
    memory: () => memory,
    migration: () => migration,
    remember: (other: unknown) => {
      memory = other;
    },
    add(pairs: readonly ReadPair[]) {
      all = [...all, ...pairs].sort((a, b) => a.atUs - b.atUs);
    },
    nowUs: () => nowUs,
    advance(seconds: number) {
      nowUs += seconds * 1e6;
    },
    /** As the machine does when it goes on. */
    move(more: Partial<Migration>) {
      migration = { ...migration, sinceUs: nowUs, ...more };
    },
    async steps(count: number, made: (atUs: number) => readonly ReadPair[]): Promise<readonly CheckResult[]> {
      let results: readonly CheckResult[] = [];
      for (let i = 0; i < count; i++) {
        nowUs += 300e6;
        this.add(made(nowUs - 60e6));
        results = await look();
      }
      return results;
    },
  };
}

/** Pairs of both sides, ascending, a tenth of a second apart. */
export function pairMaker(seed: number, more: Partial<ReadPair> = {}) {
  const random = seededRandom(seed);
  return (atUs: number, count: number, ratio = 1, query = "range"): ReadPair[] =>
    Array.from({ length: count }, (_, i) => ({
      ...{ atUs: atUs + i * 100_000, by: "probe", query, rows: 1, isEqual: true },
      ...{ oldMs: 60 * Math.exp(0.5 * normal(random)), newMs: 60 * ratio * Math.exp(0.5 * normal(random)) },
      ...more,
    }));
}

export const named = (results: readonly CheckResult[], name: string): CheckResult => {
  const found = results.find((result) => result.name === name);
  if (!found) throw new Error(`There is no result "${name}" among ${results.map((one) => one.name).join(", ")}.`);
  return found;
};

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  conflictsKey,
  directoryKey,
  directoryPartitions,
  escapePart,
  healthKey,
  historyKey,
  homeKey,
  homeOfDirectoryKey,
  homePartition,
  jobIdKey,
  jobKey,
  type Key,
  keyParts,
  ledgerKey,
  ledgerNotesKey,
  prefixOf,
  registryKey,
  relayKey,
  rowsKey,
  seenBucketKey,
  seenBucketOf,
  seenDeltaKey,
  signingKeyKey,
  tokenHashKey,
  tokenKey,
  unescapePart,
  weatherKey,
} from "../../../lib/adapters/dynamodb/keys.ts";

// Ids as bad as they come: separators, escapes, what looks like another key, any Unicode, halves of surrogate pairs.
const id = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc
    .array(
      fc.constantFrom("#", "%", "%23", "%25", "%u", "d800", "", "a", "H#", "KEY", "\ud800", "\udc00", "🏠", "\u0000"),
      { maxLength: 6 },
    )
    .map((parts) => parts.join("")),
);

const builders: Record<string, (homeId: string, a: string, b: string) => Key> = {
  home: (homeId) => homeKey(homeId),
  signingKey: (homeId, a) => signingKeyKey(homeId, a),
  ledger: (homeId, a) => ledgerKey(homeId, a),
  ledgerNotes: (homeId, a) => ledgerNotesKey(homeId, a),
  relay: (homeId, a) => relayKey(homeId, a),
  registry: (homeId, a) => registryKey(homeId, a),
  weather: (homeId) => weatherKey(homeId),
  conflicts: (homeId) => conflictsKey(homeId),
  history: (homeId, a) => historyKey(homeId, a, 1),
  job: (homeId, a, b) => jobKey(homeId, { date: a, kind: b }),
  jobId: (homeId, a) => jobIdKey(homeId, a),
  health: (homeId, a) => healthKey(homeId, a),
  token: (homeId, a) => tokenKey(homeId, a),
  rows: (homeId, a) => rowsKey(homeId, { registry: a, revision: 1, part: 2, piece: 3 }),
  seenDelta: (homeId, a) => seenDeltaKey(homeId, a),
  seenBucket: (homeId, a) => seenBucketKey(homeId, seenBucketOf(a)),
  tokenHash: (_, a) => tokenHashKey(a),
  directory: (homeId) => directoryKey(homeId),
};
const usesOf: Record<string, (homeId: string, a: string, b: string) => readonly unknown[]> = {
  home: (homeId) => [homeId],
  weather: (homeId) => [homeId],
  conflicts: (homeId) => [homeId],
  directory: (homeId) => [homeId],
  tokenHash: (_, a) => [a],
  job: (homeId, a, b) => [homeId, a, b],
  seenBucket: (homeId, a) => [homeId, seenBucketOf(a)],
};
const kind = fc.constantFrom(...Object.keys(builders));
const question = fc.tuple(kind, id, id, id);
type Question = readonly [kind: string, homeId: string, a: string, b: string];
const keyOf = ([name, homeId, a, b]: Question): Key => {
  const build = builders[name];
  if (!build) throw new Error(`no builder ${name}`);
  return build(homeId, a, b);
};
const asUtf8 = ({ pk, sk }: Key): string => Buffer.from(JSON.stringify([pk, sk])).toString("utf8");

describe("keys", () => {
  it("escape and unescape any text; no part holds a separator, none is empty, all survive UTF-8", () => {
    fc.assert(
      fc.property(id, (text) => {
        const part = escapePart(text);
        expect(unescapePart(part)).toBe(text);
        expect(part).not.toContain("#");
        expect(part).not.toBe("");
        expect(Buffer.from(part, "utf8").toString("utf8")).toBe(part);
      }),
      { numRuns: 1_000 },
    );
  });

  it("of different questions are different", () => {
    fc.assert(
      fc.property(question, question, (one, other) => {
        const uses = ([name, homeId, a, b]: Question) =>
          JSON.stringify([name, ...(usesOf[name]?.(homeId, a, b) ?? [homeId, a])]);
        expect(asUtf8(keyOf(one)) === asUtf8(keyOf(other))).toBe(uses(one) === uses(other));
      }),
      { numRuns: 3_000 },
    );
  });

  it("lie in their home's partition, whatever their ids", () => {
    fc.assert(
      fc.property(question, id, (asked, otherHome) => {
        fc.pre(asked[0] !== "tokenHash" && asked[0] !== "directory");
        expect(keyOf(asked).pk).toBe(homePartition(asked[1]));
        expect(keyOf(asked).pk === homePartition(otherHome)).toBe(asked[1] === otherHome);
      }),
    );
  });

  it("begin with the prefix of their own kind only", () => {
    const prefixes = {
      signingKey: "KEY",
      ledger: "LEDGER",
      // Read together with the rows that they belong to.
      ledgerNotes: "LEDGER",
      relay: "RELAY",
      job: "JOB",
      token: "TOKEN",
      rows: "ROWS",
      history: "HISTORY",
      seenDelta: "SEEN",
      seenBucket: "SEEN",
      registry: "REGISTRY",
    } as const;
    fc.assert(
      fc.property(question, fc.constantFrom(...Object.values(prefixes)), (asked, prefix) => {
        const own = (prefixes as Record<string, string>)[asked[0]];
        fc.pre(asked[0] !== "directory");
        expect(keyOf(asked).sk.startsWith(prefixOf(prefix))).toBe(own === prefix);
      }),
    );
  });

  it("narrow a prefix to one id, not to those that begin like it", () => {
    fc.assert(
      fc.property(id, id, (asked, other) => {
        const { sk } = rowsKey("home", { registry: other, revision: 1, part: 1, piece: 0 });
        expect(sk.startsWith(prefixOf("ROWS", asked))).toBe(asked === other);
      }),
    );
  });

  it("give back what they were made of", () => {
    fc.assert(
      fc.property(id, id, (homeId, a) => {
        expect(keyParts(tokenKey(homeId, a).sk)).toEqual(["TOKEN", a]);
        expect(keyParts(homePartition(homeId))).toEqual(["H", homeId]);
        expect(homeOfDirectoryKey(directoryKey(homeId))).toBe(homeId);
        expect(directoryPartitions).toContain(directoryKey(homeId).pk);
      }),
    );
  });

  it("sort revisions and parts as numbers, and deltas before buckets", () => {
    const rows = (revision: number, part: number) => rowsKey("h", { registry: "areas", revision, part, piece: 0 }).sk;
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        expect(Math.sign(a - b)).toBe(rows(a, 1) < rows(b, 1) ? -1 : Number(rows(a, 1) > rows(b, 1)));
      }),
    );
    expect(rows(1, 9) < rows(1, 10)).toBe(true);
    expect(seenDeltaKey("h", "zzz").sk < seenBucketKey("h", 0).sk).toBe(true);
  });

  it("refuse an id that makes a key longer than DynamoDB takes", () => {
    expect(() => ledgerKey("h", "x".repeat(1_017))).not.toThrow();
    expect(() => ledgerKey("h", "x".repeat(1_018))).toThrowError(/at most 1024/);
    expect(() => ledgerKey("h", "#".repeat(340))).toThrowError(/at most 1024/);
  });

  it("spread homes and entities over all buckets", () => {
    const names = Array.from({ length: 600 }, (_, at) => `home-${at}`);
    expect(new Set(names.map((name) => directoryKey(name).pk)).size).toBe(16);
    expect(new Set(names.map(seenBucketOf)).size).toBe(16);
  });
});

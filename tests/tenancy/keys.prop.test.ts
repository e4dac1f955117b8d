import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as keys from "../../lib/adapters/dynamodb/keys.ts";
import { nastyTexts } from "./nasty.ts";

type Build = (homeId: string, a: string, b: string) => keys.Key;

/** Every key builder of the table, with what else it takes from outside beside the home. */
const BUILDERS: Readonly<Record<string, { readonly build: Build; readonly parts: 0 | 1 | 2 }>> = {
  homeKey: { build: keys.homeKey, parts: 0 },
  signingKeyKey: { build: keys.signingKeyKey, parts: 1 },
  ledgerKey: { build: keys.ledgerKey, parts: 1 },
  ledgerNotesKey: { build: keys.ledgerNotesKey, parts: 1 },
  relayKey: { build: keys.relayKey, parts: 1 },
  registryKey: { build: keys.registryKey, parts: 1 },
  historyKey: { build: (homeId, a) => keys.historyKey(homeId, a, 1), parts: 1 },
  conflictsKey: { build: keys.conflictsKey, parts: 0 },
  weatherKey: { build: keys.weatherKey, parts: 0 },
  jobKey: { build: (homeId, date, kind) => keys.jobKey(homeId, { date, kind }), parts: 2 },
  jobIdKey: { build: keys.jobIdKey, parts: 1 },
  aggregateKey: {
    build: (homeId, layer, kind) => keys.aggregateKey(homeId, { layer, kind, date: "2026-11-22" }),
    parts: 2,
  },
  aggregatePieceKey: { build: (homeId, write) => keys.aggregatePieceKey(homeId, { write, piece: 0 }), parts: 1 },
  lateDayKey: { build: (homeId, date, mark) => keys.lateDayKey(homeId, { kind: "LATE", date, mark }), parts: 2 },
  patternsKey: { build: keys.patternsKey, parts: 0 },
  patternPieceKey: { build: (homeId, write) => keys.patternPieceKey(homeId, { write, piece: 0 }), parts: 1 },
  suggestionsKey: { build: keys.suggestionsKey, parts: 0 },
  displayKey: { build: keys.displayKey, parts: 0 },
  utilisationKey: { build: keys.utilisationKey, parts: 0 },
  utilisationPieceKey: { build: (homeId, write) => keys.utilisationPieceKey(homeId, { write, piece: 0 }), parts: 1 },
  abilitiesKey: { build: keys.abilitiesKey, parts: 0 },
  abilityPieceKey: { build: (homeId, write) => keys.abilityPieceKey(homeId, { write, piece: 0 }), parts: 1 },
  retentionKey: { build: keys.retentionKey, parts: 0 },
  outboxKey: { build: keys.outboxKey, parts: 0 },
  outboxPayloadKey: { build: keys.outboxPayloadKey, parts: 1 },
  healthKey: { build: keys.healthKey, parts: 1 },
  tokenKey: { build: keys.tokenKey, parts: 1 },
  rateKey: { build: keys.rateKey, parts: 1 },
  restoreKey: { build: keys.restoreKey, parts: 0 },
  rowsKey: {
    build: (homeId, registry) => keys.rowsKey(homeId, { registry, revision: 1, part: 1, piece: 0 }),
    parts: 1,
  },
  seenDeltaKey: { build: keys.seenDeltaKey, parts: 1 },
  seenBucketKey: { build: (homeId) => keys.seenBucketKey(homeId, 7), parts: 0 },
  migrationKey: { build: keys.migrationKey, parts: 0 },
  endedMigrationKey: { build: keys.endedMigrationKey, parts: 1 },
  migrationMemoryKey: {
    build: (homeId, migration, name) => keys.migrationMemoryKey(homeId, { id: migration, name, write: "w" }),
    parts: 2,
  },
  migrationAuditKey: {
    build: (homeId, migration) => keys.migrationAuditKey(homeId, { id: migration, epoch: 1 }),
    parts: 1,
  },
  migrationPairsKey: {
    build: (homeId, migration, unique) => keys.migrationPairsKey(homeId, { id: migration, atUs: 1, unique }),
    parts: 2,
  },
  migrationReadKey: { build: keys.migrationReadKey, parts: 1 },
  migrationDifferencesKey: { build: keys.migrationDifferencesKey, parts: 1 },
  migrationDifferencePieceKey: {
    build: (homeId, write) => keys.migrationDifferencePieceKey(homeId, { write, piece: 0 }),
    parts: 1,
  },
  pointerKey: { build: keys.pointerKey, parts: 0 },
  segmentKey: { build: (homeId, day, name) => keys.segmentKey(homeId, { day, name }), parts: 2 },
};
/** Of the fleet, not of a home. */
const OUTSIDE = ["directoryKey", "segmentHomeKey", "tokenHashKey", "homeOfDirectoryKey", "migrationUnderWayKey"];

const id = fc.oneof(
  fc.constantFrom("home", ...nastyTexts("home", "KEY", "TOKEN")),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const asked = fc.record({ name: fc.constantFrom(...Object.keys(BUILDERS)), homeId: id, a: id, b: id });
type Asked = { readonly name: string; readonly homeId: string; readonly a: string; readonly b: string };

function keyOf({ name, homeId, a, b }: Asked): keys.Key {
  const builder = BUILDERS[name];
  if (!builder) throw new Error(name);
  return builder.build(homeId, a, b);
}
const meant = ({ name, homeId, a, b }: Asked) =>
  JSON.stringify([name, homeId, ...[a, b].slice(0, BUILDERS[name]?.parts)]);
/** As the service compares them: bytes of UTF-8. */
const bytesOf = ({ pk, sk }: keys.Key) => Buffer.from(JSON.stringify([pk, sk])).toString("base64");

describe("the keys of the table", () => {
  it("are all here", () => {
    const made = Object.entries(keys).filter(([name, value]) => typeof value === "function" && name.endsWith("Key"));
    expect(made.map(([name]) => name).sort()).toEqual([...Object.keys(BUILDERS), ...OUTSIDE].sort());
  });

  it("begin with their home, whatever the ids: no text of another home leads there", () => {
    fc.assert(
      fc.property(asked, id, (one, other) => {
        const key = keyOf(one);
        const partition = one.name === "segmentKey" ? keys.segmentPartition : keys.homePartition;
        expect(key.pk).toBe(partition(one.homeId));
        expect(keys.keyParts(key.pk).slice(1)).toEqual([one.homeId]);
        for (const another of [keys.homePartition(other), keys.segmentPartition(other)])
          expect(key.pk === another).toBe(one.homeId === other && another === partition(other));
        const fleet = [
          ...[keys.directoryKey(other), keys.segmentHomeKey(other), keys.tokenHashKey(other)],
          keys.migrationUnderWayKey(other, "m"),
        ].map(({ pk }) => pk);
        for (const outside of [...fleet, ...keys.directoryPartitions]) expect(key.pk).not.toBe(outside);
      }),
      { numRuns: 1_500 },
    );
  });

  it("are equal only where the same is meant", () => {
    fc.assert(
      fc.property(asked, asked, (one, other) => {
        expect(bytesOf(keyOf(one)) === bytesOf(keyOf(other))).toBe(meant(one) === meant(other));
      }),
      { numRuns: 3_000 },
    );
  });

  it("of all nasty ids and all kinds together are all different", () => {
    const texts = nastyTexts("home", "KEY#x", "TOKEN");
    const all: Asked[] = Object.keys(BUILDERS).flatMap((name) =>
      (BUILDERS[name]?.parts === 0 ? ["-"] : texts).map((a) => ({ name, homeId: "home", a, b: a })),
    );
    const homes: Asked[] = texts.map((homeId) => ({ name: "tokenKey", homeId, a: "x", b: "" }));
    const made = [...all, ...homes].map((one) => bytesOf(keyOf(one)));
    expect(new Set(made).size).toBe(new Set([...all, ...homes].map(meant)).size);
  });

  it("of tokens and of the directory tell every text apart", () => {
    fc.assert(
      fc.property(id, id, (one, other) => {
        expect(bytesOf(keys.tokenHashKey(one)) === bytesOf(keys.tokenHashKey(other))).toBe(one === other);
        expect(bytesOf(keys.directoryKey(one)) === bytesOf(keys.directoryKey(other))).toBe(one === other);
        expect(bytesOf(keys.segmentHomeKey(one)) === bytesOf(keys.segmentHomeKey(other))).toBe(one === other);
        for (const at of [one, other, ""]) {
          const [first, second] = [keys.migrationUnderWayKey(one, at), keys.migrationUnderWayKey(at, other)];
          expect(bytesOf(first) === bytesOf(second)).toBe(one === at && at === other);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

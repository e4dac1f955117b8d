import { createHash } from "node:crypto";
import { HearthlineError } from "../../base/errors.ts";

/**
 * The one table: partition key `pk`, sort key `sk`, both strings; TTL attribute `expires_at` (seconds). Nothing scans.
 *
 * | question                              | pk            | sk                                  |
 * |---------------------------------------|---------------|-------------------------------------|
 * | which homes are there                 | `D#<bucket>`  | `<home>` (16 buckets by hash)       |
 * | what is this home                     | `H#<home>`    | `HOME`                              |
 * | which key signed; the newest key      | `H#<home>`    | `KEY#<key id>`; begins with `KEY#`  |
 * | what has arrived of this relay        | `H#<home>`    | `LEDGER#<relay>`                    |
 * | what this relay says of itself        | `H#<home>`    | `LEDGER#<relay>#NOTES`              |
 * | how is this relay                     | `H#<home>`    | `RELAY#<relay>`                     |
 * | which revision of a registry holds    | `H#<home>`    | `REGISTRY#<name>`                   |
 * | a registry's rows (packed)            | `H#<home>`    | `ROWS#<name>#<revision>#<part>#<n>` |
 * | what its revisions changed (packed)   | `H#<home>`    | `HISTORY#<name>#<revision>`         |
 * | where two sources disagree (packed)   | `H#<home>`    | `CONFLICTS`                         |
 * | seen lately, not yet merged (packed)  | `H#<home>`    | `SEEN#0#<unique>`                   |
 * | seen last (packed, 16 buckets)        | `H#<home>`    | `SEEN#1#<bucket>`                   |
 * | the weather                           | `H#<home>`    | `WEATHER`                           |
 * | a job by day; the newest jobs         | `H#<home>`    | `JOB#<date>#<kind>`; descending     |
 * | a job by its id                       | `H#<home>`    | `JOBID#<id>`                        |
 * | a layer's aggregates by kind and date | `H#<home>`    | `AGG#<layer>#<kind>#<date>`         |
 * | what fits no item of them (packed)    | `H#<home>`    | `AGGROWS#<unique>#<n>`              |
 * | days to be aggregated again           | `H#<home>`    | `LATE#<date>#<unique>`              |
 * | days to be learned from again         | `H#<home>`    | `RELEARN#<date>#<unique>`           |
 * | what was learned (packed)             | `H#<home>`    | `PATTERNS`                          |
 * | what fits no item of that (packed)    | `H#<home>`    | `PATTERNROWS#<unique>#<n>`          |
 * | what is suggested (packed)            | `H#<home>`    | `SUGGESTIONS`                       |
 * | what is used of devices (packed)      | `H#<home>`    | `UTILISATION`                       |
 * | what fits no item of that (packed)    | `H#<home>`    | `UTILISATIONROWS#<unique>#<n>`      |
 * | what entities said they can (packed)  | `H#<home>`    | `ABILITIES`                         |
 * | what fits no item of that (packed)    | `H#<home>`    | `ABILITYROWS#<unique>#<n>`          |
 * | what the house was told (packed)      | `H#<home>`    | `DISPLAY`                           |
 * | which retention was enforced last     | `H#<home>`    | `RETENTION`                         |
 * | what waits for the relay (packed)     | `H#<home>`    | `OUTBOX`                            |
 * | what it shall publish (packed)        | `H#<home>`    | `PAYLOAD#<unique>`                  |
 * | since when is a part in its state     | `H#<home>`    | `HEALTH#<part>`                     |
 * | whose is this token                   | `T#<sha-256>` | `TOKEN`                             |
 * | a home's tokens                       | `H#<home>`    | `TOKEN#<id>`                        |
 * | which backup is being restored       | `H#<home>`    | `RESTORE`                           |
 * | what is left of a token's limit       | `H#<home>`    | `RATE#<token id>`                   |
 * | the newest migration (packed)         | `H#<home>`    | `MIGRATION`                         |
 * | a migration before it (packed)        | `H#<home>`    | `MIGRATION#<id>`                    |
 * | what a check of it keeps (packed)     | `H#<home>`    | `MIGRATIONMEMORY#<id>#<name>#<write>` |
 * | what changed it (packed)              | `H#<home>`    | `MIGRATIONAUDIT#<id>#<epoch>`       |
 * | reads asked of both sides (packed)    | `H#<home>`    | `MIGRATIONPAIRS#<id>#<time>#<unique>` |
 * | in what they differ (packed)          | `H#<home>`    | `MIGRATIONDIFFERENCES#<id>`         |
 * | when OLD last answered a reader       | `H#<home>`    | `MIGRATIONREAD#<id>`                |
 * | what fits no item of that (packed)    | `H#<home>`    | `MIGRATIONDIFFERENCEROWS#<unique>#<n>` |
 * | who answers reads                     | `H#<home>`    | `POINTER`                           |
 * | which migrations are under way        | `MD`          | `<home>#<id>`                       |
 * | a home's segments of open days        | `S#<home>`    | `<day>#<name>`                      |
 * | which homes have such segments        | `SD`          | `<home>`                            |
 *
 * Every part that comes from outside is escaped, so that no id can collide with another or leave its home.
 */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** DynamoDB: bytes of a sort key; a partition key may have 2,048. Source: DynamoDB developer guide, "Service quotas"; read 2026-09. */
const SORT_KEY_MAX_BYTES = 1024;
const DIRECTORY_BUCKETS = 16;
const SEEN_BUCKETS = 16;

/**
 * One part of a key: `%` and `#` are escaped, the empty text is a lone `%`, and a lone surrogate (which UTF-8 cannot write: all would become the same U+FFFD)
 * is `%u` and its code. Different texts have different parts, and no part holds a `#`.
 */
export function escapePart(text: string): string {
  if (text === "") return "%";
  return text
    .replace(/[%#]/g, (character) => (character === "%" ? "%25" : "%23"))
    .replace(/\p{Surrogate}/gu, (lone) => `%u${lone.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The text that `escapePart` was given. */
export function unescapePart(part: string): string {
  if (part === "%") return "";
  return part
    .replace(/%u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/%2[35]/g, (escaped) => (escaped === "%25" ? "%" : "#"));
}

const join = (...parts: readonly string[]): string => parts.map(escapePart).join("#");

/** Splits a key into the texts of which it was made. */
export const keyParts = (key: string): string[] => key.split("#").map(unescapePart);

const hashOf = (text: string): Buffer => createHash("sha256").update(escapePart(text)).digest();
const twoDigits = (bucket: number): string => String(bucket).padStart(2, "0");

function inHome(homeId: string, ...parts: readonly string[]): Key {
  const sk = join(...parts);
  const bytes = Buffer.byteLength(sk);
  if (bytes > SORT_KEY_MAX_BYTES) {
    throw new HearthlineError(
      "record_malformed",
      `The id "${sk.slice(0, 80)}..." makes a key of ${bytes} bytes; a key may have at most ${SORT_KEY_MAX_BYTES}.`,
    );
  }
  return { pk: homePartition(homeId), sk };
}

/** Where all of a home lies. */
export const homePartition = (homeId: string): string => join("H", homeId);

/** What the sort keys of one kind begin with, for queries; `parts` narrow it. */
export const prefixOf = (
  kind:
    | "AGG"
    | "KEY"
    | LateDayKind
    | "LEDGER"
    | "RELAY"
    | "REGISTRY"
    | "ROWS"
    | "HISTORY"
    | "SEEN"
    | "JOB"
    | "TOKEN"
    | MigrationKind,
  ...parts: readonly string[]
): string => `${join(kind, ...parts)}#`;

export const directoryPartitions: readonly string[] = Array.from({ length: DIRECTORY_BUCKETS }, (_, bucket) =>
  join("D", twoDigits(bucket)),
);
export const directoryKey = (homeId: string): Key => ({
  pk: join("D", twoDigits((hashOf(homeId)[0] ?? 0) % DIRECTORY_BUCKETS)),
  sk: escapePart(homeId),
});
/** The home that a directory row names. */
export const homeOfDirectoryKey = ({ sk }: Key): string => unescapePart(sk);

export const homeKey = (homeId: string): Key => inHome(homeId, "HOME");
export const signingKeyKey = (homeId: string, keyId: string): Key => inHome(homeId, "KEY", keyId);
export const ledgerKey = (homeId: string, relayId: string): Key => inHome(homeId, "LEDGER", relayId);
export const ledgerNotesKey = (homeId: string, relayId: string): Key => inHome(homeId, "LEDGER", relayId, "NOTES");
export const relayKey = (homeId: string, relayId: string): Key => inHome(homeId, "RELAY", relayId);
export const registryKey = (homeId: string, registry: string): Key => inHome(homeId, "REGISTRY", registry);
export const historyKey = (homeId: string, registry: string, revision: number): Key =>
  inHome(homeId, "HISTORY", registry, String(revision).padStart(16, "0"));
export const conflictsKey = (homeId: string): Key => inHome(homeId, "CONFLICTS");
export const weatherKey = (homeId: string): Key => inHome(homeId, "WEATHER");
export const jobKey = (homeId: string, job: { date: string; kind: string }): Key =>
  inHome(homeId, "JOB", job.date, job.kind);
export const jobIdKey = (homeId: string, id: string): Key => inHome(homeId, "JOBID", id);
export const aggregateKey = (homeId: string, at: { layer: string; kind: string; date: string }): Key =>
  inHome(homeId, "AGG", at.layer, at.kind, at.date);
export const aggregatePieceKey = (homeId: string, { write, piece }: { write: string; piece: number }): Key =>
  inHome(homeId, "AGGROWS", write, String(piece));
/** Sort keys from the first date to the second, both included. */
export const aggregatesFrom = (
  layer: string,
  kind: string,
  { fromDate, toDate }: { fromDate: string; toDate: string },
): readonly [string, string] => [
  // Not `join`: an empty bound is to sort before every date, not to be one.
  `${join("AGG", layer)}#${kind === "" ? "" : escapePart(kind)}#${fromDate}`,
  `${join("AGG", layer)}#${escapePart(kind)}#${toDate}`,
];
/** `LATE`: to be aggregated again. `RELEARN`: to be learned from again. */
export type LateDayKind = "LATE" | "RELEARN";
export const lateDayKey = (
  homeId: string,
  { kind, date, mark }: { kind: LateDayKind; date: string; mark: string },
): Key => inHome(homeId, kind, date, mark);
export const patternsKey = (homeId: string): Key => inHome(homeId, "PATTERNS");
export const patternPieceKey = (homeId: string, { write, piece }: { write: string; piece: number }): Key =>
  inHome(homeId, "PATTERNROWS", write, String(piece));
export const suggestionsKey = (homeId: string): Key => inHome(homeId, "SUGGESTIONS");
export const utilisationKey = (homeId: string): Key => inHome(homeId, "UTILISATION");
export const utilisationPieceKey = (homeId: string, { write, piece }: { write: string; piece: number }): Key =>
  inHome(homeId, "UTILISATIONROWS", write, String(piece));
export const abilitiesKey = (homeId: string): Key => inHome(homeId, "ABILITIES");
export const abilityPieceKey = (homeId: string, { write, piece }: { write: string; piece: number }): Key =>
  inHome(homeId, "ABILITYROWS", write, String(piece));
export const displayKey = (homeId: string): Key => inHome(homeId, "DISPLAY");
export const retentionKey = (homeId: string): Key => inHome(homeId, "RETENTION");
export const outboxKey = (homeId: string): Key => inHome(homeId, "OUTBOX");
export const outboxPayloadKey = (homeId: string, unique: string): Key => inHome(homeId, "PAYLOAD", unique);
export const healthKey = (homeId: string, part: string): Key => inHome(homeId, "HEALTH", part);
export const tokenKey = (homeId: string, id: string): Key => inHome(homeId, "TOKEN", id);
export const rateKey = (homeId: string, tokenId: string): Key => inHome(homeId, "RATE", tokenId);
export const restoreKey = (homeId: string): Key => inHome(homeId, "RESTORE");
/** A home's migrations: their rows, and what lies beside them. */
export type MigrationKind = "MIGRATION" | "MIGRATIONMEMORY" | "MIGRATIONAUDIT" | "MIGRATIONPAIRS";
export const migrationKey = (homeId: string): Key => inHome(homeId, "MIGRATION");
export const endedMigrationKey = (homeId: string, id: string): Key => inHome(homeId, "MIGRATION", id);
export const migrationMemoryKey = (
  homeId: string,
  { id, name, write }: { id: string; name: string; write: string },
): Key => inHome(homeId, "MIGRATIONMEMORY", id, name, write);
export const migrationAuditKey = (homeId: string, { id, epoch }: { id: string; epoch: number }): Key =>
  inHome(homeId, "MIGRATIONAUDIT", id, String(epoch).padStart(16, "0"));
export const migrationPairsKey = (
  homeId: string,
  { id, atUs, unique }: { id: string; atUs: number; unique: string },
): Key => inHome(homeId, "MIGRATIONPAIRS", id, String(atUs).padStart(16, "0"), unique);
/** Sort keys of pairs of which some are after a moment: each lies at its newest. */
export const migrationPairsAfter = (id: string, afterUs: number): readonly [string, string] => {
  const from = String(Math.max(0, Math.floor(afterUs))).padStart(16, "0");
  return [`${prefixOf("MIGRATIONPAIRS", id)}${from}`, `${prefixOf("MIGRATIONPAIRS", id)}:`];
};
export const migrationReadKey = (homeId: string, id: string): Key => inHome(homeId, "MIGRATIONREAD", id);
export const migrationDifferencesKey = (homeId: string, id: string): Key => inHome(homeId, "MIGRATIONDIFFERENCES", id);
export const migrationDifferencePieceKey = (homeId: string, { write, piece }: { write: string; piece: number }): Key =>
  inHome(homeId, "MIGRATIONDIFFERENCEROWS", write, String(piece));
export const pointerKey = (homeId: string): Key => inHome(homeId, "POINTER");
export const MIGRATIONS_PARTITION = "MD";
export const migrationUnderWayKey = (homeId: string, id: string): Key => ({
  pk: MIGRATIONS_PARTITION,
  sk: join(homeId, id),
});
/** The home whose part of the table this is; undefined: of no home. */
export function homeOfPartition(pk: string): string | undefined {
  const [kind, homeId] = keyParts(pk);
  return kind === "H" || kind === "S" ? homeId : undefined;
}
/** Where the segments of a home's open days lie. Beside `H#<home>`: the two have nothing in common but the home. */
export const segmentPartition = (homeId: string): string => join("S", homeId);
export const segmentKey = (homeId: string, { day, name }: { day: string; name: string }): Key => ({
  pk: segmentPartition(homeId),
  sk: join(day, name),
});
/** Sort keys of the segments from the first day to the last, both included: what may follow a day is `#`, which sorts before `$`. */
export const segmentsBetween = (fromDay: string, toDay: string): readonly [string, string] => [fromDay, `${toDay}$`];
export const SEGMENT_HOMES_PARTITION = "SD";
export const segmentHomeKey = (homeId: string): Key => ({ pk: SEGMENT_HOMES_PARTITION, sk: escapePart(homeId) });
export const tokenHashKey = (hash: string): Key => ({ pk: join("T", hash), sk: "TOKEN" });

/** Rows of one part of a registry, in numbered pieces. Numbers are padded so that they sort. */
export const rowsKey = (
  homeId: string,
  { registry, revision, part, piece }: { registry: string; revision: number; part: number; piece: number },
): Key =>
  inHome(homeId, "ROWS", registry, String(revision).padStart(16, "0"), String(part).padStart(6, "0"), String(piece));

/** Deltas (0) sort before the merged buckets (1): a reader meets them first, so that a merge in between hides nothing. */
export const seenDeltaKey = (homeId: string, unique: string): Key => inHome(homeId, "SEEN", "0", unique);
export const seenBucketKey = (homeId: string, bucket: number): Key => inHome(homeId, "SEEN", "1", twoDigits(bucket));
export const seenBucketOf = (entityId: string): number => (hashOf(entityId)[0] ?? 0) % SEEN_BUCKETS;

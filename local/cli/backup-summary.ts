import { formatIsoUs, type Microseconds } from "../../lib/base/time.ts";
import type { BackupContents, HomeBackup, HomeRestored, SealedContents } from "../../lib/wiring/backup.ts";
import { printable } from "./output.ts";

interface Timed {
  readonly path: string;
  readonly seconds: number;
}

/** What the next night deletes of what was restored. */
export interface Expiring {
  /** At least so many: of whole days by UTC. */
  readonly events: number;
  /** HEARTHLINE_RAW_DAYS that would keep all. */
  readonly wantedDays: number;
}

const DAY_US = 86_400_000_000;

/** Undefined: nothing. */
export function expiringOf({ contents, rawDays }: HomeRestored, nowMs: number): Expiring | undefined {
  const { firstUs } = contents.events;
  const oldestUs = nowMs * 1000 - rawDays * DAY_US;
  if (firstUs === undefined || firstUs >= oldestUs) return undefined;
  const old = contents.tiles.filter(({ fromUs }) => fromUs + DAY_US <= oldestUs);
  return {
    events: old.reduce((sum, { count }) => sum + count, 0),
    wantedDays: Math.ceil((nowMs * 1000 - firstUs) / DAY_US) + 1,
  };
}

export function expiringText({ events, wantedDays }: Expiring, { contents, rawDays }: HomeRestored): string {
  const all = contents.events.count;
  const some = events === 0 ? "Some" : `At least ${events.toLocaleString("en")}`;
  const what =
    events === all ? `ALL ${all.toLocaleString("en")} events` : `${some} of the ${all.toLocaleString("en")} events`;
  return `${what} are older than ${rawDays} days, which is HEARTHLINE_RAW_DAYS: the next night deletes them. To keep all of them, set it to ${wantedDays} where Hearthline runs, before that night.`;
}

interface EventRange {
  readonly count: number;
  readonly firstUs?: Microseconds;
  readonly lastUs?: Microseconds;
}

const isoOf = (us: Microseconds | undefined): string | null => (us === undefined ? null : formatIsoUs(us));
const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

const rangeJson = ({ count, firstUs, lastUs }: EventRange) => ({
  events: count,
  first: isoOf(firstUs),
  last: isoOf(lastUs),
});
const rangeText = ({ count, firstUs, lastUs }: EventRange): string =>
  count === 0 ? "events   none" : `events   ${count.toLocaleString("en")}, ${isoOf(firstUs)} to ${isoOf(lastUs)}`;
const kindsText = (kinds: Readonly<Record<string, number>>): string =>
  `items    ${Object.entries(kinds)
    .map(([kind, count]) => `${printable(kind.toLowerCase())} ${count}`)
    .join(", ")}`;

export const createdJson = (created: HomeBackup & Timed) => ({
  file: created.path,
  home_id: created.homeId,
  bytes: created.bytes,
  sha256: created.id,
  ...rangeJson(created.events),
  items: created.kinds,
  settled: created.settled,
  set_aside: created.setAside,
  secrets_left_out: created.secretsLeftOut,
  seconds: round(created.seconds),
});

export const createdText = (created: HomeBackup & Timed): string =>
  [
    `file     ${printable(created.path)}, ${created.bytes.toLocaleString("en")} bytes`,
    `home     ${created.homeId}`,
    rangeText(created.events),
    kindsText(created.kinds),
    `took     ${round(created.seconds)} s`,
  ].join("\n");

export function contentsJson(path: string, contents: BackupContents | SealedContents) {
  const { id, bytes, isSealed } = contents;
  const file = { file: path, whole: true, sealed: isSealed, bytes, sha256: id };
  if (!contents.manifest) return { ...file, looked_inside: false };
  const { manifest, events, kinds, sections, settled, setAside, settings, unknownSections } = contents;
  return {
    ...{ ...file, looked_inside: true, home_id: manifest.home_id, created_at: manifest.created_at },
    ...{ hearthline: manifest.hearthline, store: manifest.store, ...rangeJson(events) },
    ...{ items: kinds, sections, settled, set_aside: setAside, settings, unknown_sections: unknownSections },
  };
}

export function contentsText(path: string, contents: BackupContents | SealedContents): string {
  const file = `whole    ${printable(path)}, ${contents.bytes.toLocaleString("en")} bytes${contents.isSealed ? ", sealed" : ""}`;
  if (!contents.manifest) return file;
  const { manifest, events, kinds, settled, unknownSections } = contents;
  return [
    file,
    `home     ${manifest.home_id}, of ${manifest.created_at}, by Hearthline ${printable(manifest.hearthline)} (${printable(manifest.store)})`,
    rangeText(events),
    kindsText(kinds),
    ...(settled ? [] : ["ledger   may name events that are not in it (written with --no-wait)"]),
    ...(unknownSections.length > 0 ? [`unknown  ${unknownSections.join(", ")}`] : []),
  ].join("\n");
}

export function restoredJson(done: HomeRestored & Timed, expiring: Expiring | undefined) {
  const { path, seconds, contents, items, comparison, refused, isContinued, key } = done;
  return {
    ...{ file: path, home_id: contents.manifest.home_id, ...rangeJson(contents.events) },
    ...{ continued: isContinued, items, days: comparison.days, same_days: comparison.sameDays },
    ...{ missing: comparison.missing, different: comparison.different, refused: refused.count },
    ...{ settled: contents.settled, set_aside: contents.setAside, expiring_events: expiring?.events ?? 0 },
    ...{ raw_days: done.rawDays, wanted_raw_days: Math.max(done.rawDays, expiring?.wantedDays ?? 0) },
    ...(key !== undefined && { key }),
    seconds: round(seconds),
  };
}

export const restoredText = ({ contents, items, comparison, key, seconds }: HomeRestored & Timed): string =>
  [
    `home     ${contents.manifest.home_id}`,
    rangeText(contents.events),
    `items    ${items.written} written, ${items.same} there already, ${items.kept} kept as they were`,
    `days     ${comparison.sameDays} of ${comparison.days} the same in the store; missing ${comparison.missing}, different ${comparison.different}`,
    ...(key === undefined ? [] : [`key      ${key}`]),
    `took     ${round(seconds)} s`,
  ].join("\n");

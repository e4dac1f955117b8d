import { formatIsoUs, type Microseconds } from "../../base/time.ts";
import { canonicalJson } from "../../series/canonical.ts";
import type { Difference, DifferenceClass } from "../ports.ts";
import { type ComparableLimits, comparable, isEvent, type SideRow } from "./comparable.ts";
import type { Finding, FindingKind } from "./join.ts";

/** A time in which one is known to have lost rows, or to have heard none. */
export interface LossSpan {
  readonly by: "old" | "new" | "relay";
  readonly fromUs: Microseconds;
  /** Not included. */
  readonly toUs: Microseconds;
  /** As the loss or gap record says. */
  readonly reason: string;
}

export interface LossAccount {
  readonly spans: readonly LossSpan[];
  /** Of everything that was heard since then the ledger misses no number; absent: it misses some, or cannot tell. */
  readonly wholeFromUs?: Microseconds;
}

/** What the relay, its ledger and its sinks know. Errors as of the ledger. */
export interface LossFacts {
  /** Up to when each side has been given everything; absent: not known, and then time alone must do. */
  settledUs(homeId: string): Promise<{ readonly old?: Microseconds; readonly new?: Microseconds }>;
  account(homeId: string): Promise<LossAccount>;
}

/** Of a text in a difference; states are shorter, attributes may not be. */
const TEXT_MAX = 120;

const CLASSES: Readonly<Record<FindingKind, DifferenceClass>> = {
  "missing-in-new": "missing-in-new",
  "missing-in-old": "missing-in-old",
  different: "different",
  duplicate: "known-limit",
  "one-stamp": "known-limit",
  secret: "known-limit",
  start: "known-limit",
};

export interface ClassifyOptions {
  readonly limits: ComparableLimits;
  readonly account: LossAccount;
  readonly foundUs: Microseconds;
}

/** The finding as people and the report read it. Pure. */
export function classify(finding: Finding, { limits, account, foundUs }: ClassifyOptions): Difference {
  const { kind, entityId, atUs } = finding;
  const [old, ours] = [finding.old?.row, finding.new?.row];
  const field = kind === "different" && old && ours ? fieldOf(old, ours, limits) : undefined;
  const loser = kind === "missing-in-new" || kind === "missing-in-old" ? loserOf(kind, atUs, account) : undefined;
  const row = `"${entityId}" at ${formatIsoUs(atUs)}`;
  return {
    class: CLASSES[kind],
    entityId,
    atUs,
    ...(field !== undefined && { field }),
    ...(old && { old: shownOf(old, field) }),
    ...(ours && { new: shownOf(ours, field) }),
    ...(loser && { lostBy: loser.lostBy }),
    foundUs,
    explanation: `${wordsOf(kind, row, field)}${loser ? `: ${loser.why}.` : "."}`,
  };
}

function wordsOf(kind: FindingKind, row: string, field: string | undefined): string {
  switch (kind) {
    case "missing-in-new":
      return `OLD has ${row} and NEW has not`;
    case "missing-in-old":
      return `NEW has ${row} and OLD has not`;
    case "different":
      return `OLD and NEW have another ${field ?? "row"} of ${row}`;
    case "duplicate":
      return `OLD has ${row} more than once; its writer sent it again, and nothing is missing`;
    case "one-stamp":
      return `OLD cuts time stamps, and another row of the same stamp has taken the place of ${row}`;
    case "secret":
      return `OLD holds a password or a token as ${row}, in whose place NEW was told "[secret]"`;
    case "start":
      return `NEW has ${row} from a start of Home Assistant, a snapshot or its own API; OLD was not told of it`;
  }
}

interface Loser {
  readonly lostBy: NonNullable<Difference["lostBy"]>;
  readonly why: string;
}

/** By records of losses first. Without one, the side that lacks a row which was heard has lost it; whether it was heard, the ledger must know. */
function loserOf(kind: "missing-in-new" | "missing-in-old", atUs: Microseconds, account: LossAccount): Loser {
  const sides = kind === "missing-in-new" ? ["new", "relay"] : ["old"];
  const span = account.spans.find(({ by, fromUs, toUs }) => sides.includes(by) && atUs >= fromUs && atUs < toUs);
  if (span) return { lostBy: span.by, why: `recorded as lost (${span.reason})` };
  if (kind === "missing-in-old") return { lostBy: "old", why: "NEW was given it, so OLD lost it or was never told" };
  const isWhole = account.wholeFromUs !== undefined && atUs >= account.wholeFromUs;
  return isWhole
    ? { lostBy: "new", why: "the ledger misses no number of that time and no gap is recorded" }
    : { lostBy: "unknown", why: "the ledger cannot say whether it was ever heard" };
}

function fieldOf(old: SideRow, ours: SideRow, limits: ComparableLimits): string {
  const plain = { ...limits, attributes: "none", hasLastChanged: false } as const;
  if (comparable(old, plain)?.text !== comparable(ours, plain)?.text) return "state";
  if (
    comparable(old, { ...limits, attributes: "none" })?.text !==
    comparable(ours, { ...limits, attributes: "none" })?.text
  )
    return "last_changed";
  const [a, b] = [old.attributes ?? {}, ours.attributes ?? {}];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  const name = names.find((each) => canonicalJson(a[each]) !== canonicalJson(b[each]));
  return name === undefined ? "state" : `attributes.${name}`;
}

function shownOf(row: SideRow, field: string | undefined): string {
  if (field === "last_changed") return row.lastChangedUs === undefined ? "" : formatIsoUs(row.lastChangedUs);
  if (field?.startsWith("attributes."))
    return canonicalJson(row.attributes?.[field.slice("attributes.".length)] ?? null).slice(0, TEXT_MAX);
  return isEvent(row) && row.kind === "removed" ? "(removed)" : (row.state ?? "(removed)").slice(0, TEXT_MAX);
}

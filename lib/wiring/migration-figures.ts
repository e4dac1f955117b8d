import type { WireMigrationMetrics, WireMigrationReport } from "../api/ports.ts";
import type { Clock } from "../base/clock.ts";
import type { DeviceIndex, RelayStatus } from "../devices/ports.ts";
import { completeUpTo, countOfRanges, gapsOf, isImport, type Ledger, type LedgerRow } from "../ingest/index.ts";
import { pointerOf } from "../migration/pointer.ts";
import type { DifferenceClass, MigrationStore } from "../migration/ports.ts";
import { readsOver } from "../migration/read-figures.ts";
import type { Migration } from "../migration/types.ts";
import { wireCheck, wireCounts } from "../migration/wire.ts";

/** Figures of a migration that stand in other rooms' stores: the ledger, and what relays say of their sinks. */

const GAPS_MAX = 1_000;

/** Of the relays alone: what was imported has numbers of its own. */
export function ledgerOf(rows: readonly LedgerRow[]): WireMigrationReport["ledger"] {
  const relays = rows.filter(({ relayId }) => !isImport(relayId));
  const ranges = relays.flatMap((row) => row.ranges);
  return {
    first_sequence: ranges.length === 0 ? 0 : Math.min(...ranges.map(([first]) => first)),
    last_sequence: Math.max(0, ...ranges.map(([, last]) => last)),
    gaps: relays
      .flatMap((row) => gapsOf(row.ranges).map(([first, last]) => ({ relay_id: row.relayId, first, last })))
      .slice(0, GAPS_MAX),
    lost_records: relays.reduce((sum, row) => sum + lostOf(row), 0),
  };
}

const lostOf = ({ lost, notes }: LedgerRow): number =>
  Math.min(
    lost.reduce((sum, { count }) => sum + count, 0) + notes.unnumberedLost.totals.events,
    Number.MAX_SAFE_INTEGER,
  );

type Sink = WireMigrationMetrics["sinks"][number];

/** How far both sides are behind, by the relays' own words. An OLD that Home Assistant feeds is behind by what the check of dual write saw. */
function sinksOf(migration: Migration, relays: readonly RelayStatus[], rows: readonly LedgerRow[]): Sink[] {
  const said = (name: string) => relays.flatMap(({ sinks = [] }) => sinks.filter((sink) => sink.name === name));
  const figures = (name: string): Pick<Sink, "lag_seconds" | "lag_records" | "breaker" | "is_off"> => {
    const all = said(name);
    const worst = all.toSorted((a, b) => b.lagSeconds - a.lagSeconds)[0];
    if (!worst) return { lag_seconds: null };
    return {
      lag_seconds: worst.lagSeconds,
      lag_records: all.reduce((sum, { lagRecords }) => sum + lagRecords, 0),
      breaker: worst.breaker,
      is_off: worst.isOff,
    };
  };
  const own = rows.filter(({ relayId }) => !isImport(relayId));
  const isFedByRelay = migration.plan.old.fedBy === "relay";
  const watched = migration.checks.find(({ name }) => name === "dual-write")?.observed;
  return [
    {
      name: "new",
      ...figures("cloud"),
      lost_events: own.reduce((sum, row) => sum + lostOf(row), 0),
      last_sequence: Math.max(0, ...own.map(({ ranges }) => ranges.at(-1)?.[1] ?? 0)),
      complete_up_to: own.length === 0 ? 0 : Math.min(...own.map(({ ranges }) => completeUpTo(ranges))),
      missing: own.reduce((sum, { ranges }) => sum + countOfRanges(gapsOf(ranges)), 0),
    },
    {
      name: "old",
      ...(isFedByRelay ? figures("old") : { lag_seconds: watched ?? null }),
      lost_events: isFedByRelay ? own.reduce((sum, { notes }) => sum + notes.otherSinksLost.totals.events, 0) : null,
    },
  ];
}

type Found = Awaited<ReturnType<MigrationStore["differences"]>>;

/** Those that were sent again, and are there, are open no more. */
export function wireDifferenceCounts({ count, examples }: Found): WireMigrationMetrics["differences"] {
  const counts = wireCounts(count);
  const repaired = examples.filter((one) => one.isRepaired === true && OPEN.has(one.class)).length;
  const found = counts.missing_in_new + counts.missing_in_old + counts.different;
  return { ...counts, open: Math.max(0, found - repaired), repaired };
}

/** Classes that count. */
const OPEN: ReadonlySet<DifferenceClass> = new Set(["missing-in-new", "missing-in-old", "different"]);

interface FigureParts {
  readonly store: Pick<MigrationStore, "pairs" | "differences">;
  readonly ledger: Pick<Ledger, "rows">;
  readonly index: Pick<DeviceIndex, "relayStatuses">;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What is plotted of the present: the last six hours, in spans of a quarter. */
const RECENT_US = 6 * 3_600 * 1e6;
const SPANS = 24;

export async function metricsOf(
  { store, ledger, index, clock }: FigureParts,
  migration: Migration,
): Promise<WireMigrationMetrics> {
  const { homeId, id, state, stagePercent, verdict, checks } = migration;
  const nowUs = clock.nowMs() * 1000;
  const fromUs = Math.max(migration.createdUs, nowUs - RECENT_US);
  const [pairs, differences, rows, relays] = await Promise.all([
    store.pairs(homeId, id, fromUs - 1),
    store.differences(homeId, id),
    ledger.rows(homeId),
    index.relayStatuses(homeId),
  ]);
  return {
    id,
    at: new Date(clock.nowMs()).toISOString(),
    state,
    stage_percent: stagePercent,
    authority: pointerOf(migration).authority,
    verdict,
    checks: checks.map(wireCheck),
    sinks: sinksOf(migration, relays, rows),
    reads: readsOver(pairs, { fromUs, toUs: Math.max(fromUs, nowUs), spans: SPANS }),
    differences: wireDifferenceCounts(differences),
  };
}

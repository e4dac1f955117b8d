import { randomBytes } from "node:crypto";
import { createOldPast } from "../adapters/legacy/old-past.ts";
import { eventOfRow } from "../adapters/legacy/old-row.ts";
import type { HomeEvent } from "../event/index.ts";
import {
  type HistorySource,
  type ImportState,
  type ImportStateFile,
  type LastState,
  type PastRow,
  runImport,
} from "../history/index.ts";
import type { RepairSource } from "../migration/consistency/repair.ts";
import type { Migration, OldSystem } from "../migration/ports.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";
import type { Config } from "./config.ts";
import { importSink, knownOf } from "./history-cloud.ts";
import { oldSecretsOf, signingKeyOf, takingOf } from "./migration-backfill.ts";

export interface RepairWayOptions {
  readonly cloud: Cloud;
  readonly homeId: string;
  readonly events: Pick<EventStore, "range">;
  /** OLD itself says when the state began; otherwise it follows from the row before. */
  readonly hasLastChanged: (event: HomeEvent) => boolean;
  readonly signal: AbortSignal;
  /** What was sent and is not taken, in a sentence. */
  readonly onRefused: (why: string) => void;
}

/** What NEW was given is on its way for seconds; longer than this it is not waited for, and said to be open. */
const LAND_MS = 60_000;
const LOOK_MS = 500;

/**
 * Gives events that NEW lacks to NEW on the way of every import: the owner's filters, secrets taken out, sealed with the home's key, through every queue. Each is told what came before it from NEW itself, so that it
 * becomes what it would have become at its time. Resolves when the last one is in NEW, or was waited for long enough.
 */
export function createRepairWay(options: RepairWayOptions): (events: readonly HomeEvent[]) => Promise<void> {
  const { cloud, homeId, events, signal, onRefused } = options;
  const { clock, random } = cloud;
  const sink = importSink(cloud);
  // One name of a relay for all that this repair sends, with numbers that go on.
  const relay = { relayId: `import-repair-${randomBytes(6).toString("hex")}`, sequence: 0 };

  async function landed({ entityId, atUs }: HomeEvent): Promise<void> {
    const untilMs = clock.monotonicMs() + LAND_MS;
    const asked = { homeId, entityIds: [entityId], fromUs: atUs, toUs: atUs + 1, order: "asc", limit: 1 } as const;
    while (!signal.aborted) {
      if ((await sink.waiting()) === 0 && (await events.range(asked)).events.length > 0) return;
      if (clock.monotonicMs() >= untilMs) return;
      await clock.sleep(LOOK_MS, signal);
    }
  }

  return async (given) => {
    const shared = {
      ...{ homeId, clock, random, sink, isRestart: false },
      ...takingOf(cloud),
      key: await signingKeyOf(cloud.table, homeId),
      isPassword: (await knownOf(cloud, homeId)).isPassword,
      newRelayId: () => relay.relayId,
      // What was begun is sent: the numbers that it took are never given again.
      signal: new AbortController().signal,
    };
    for (const round of await roundsOf(given, options)) {
      const file = stateOf({ ...relay, homeId, entities: round.entities });
      const summary = await runImport({ ...shared, file, source: sourceOf(round.rows) });
      relay.sequence = summary.sequence;
      for (const { detail } of summary.rejected.shown) onRefused(detail);
    }
    const last = given.toSorted((a, b) => a.atUs - b.atUs).at(-1);
    if (last) await landed(last);
  };
}

/** Rows that may be sent together: of each entity, only such as lie next to each other. */
interface Round {
  readonly rows: PastRow[];
  readonly entities: Record<string, LastState>;
}

async function roundsOf(given: readonly HomeEvent[], options: RepairWayOptions): Promise<readonly Round[]> {
  const { homeId, events, hasLastChanged } = options;
  const rounds: Round[] = [];
  const placed = new Map<string, { readonly round: number; readonly atUs: number }>();
  for (const event of given.toSorted((a, b) => a.atUs - b.atUs)) {
    const { entityId, atUs } = event;
    const asked = { homeId, entityIds: [entityId], toUs: atUs, order: "desc", limit: 1 } as const;
    const before = (await events.range(asked)).events[0];
    const last = placed.get(entityId);
    const isNext = last !== undefined && (before === undefined || before.atUs <= last.atUs);
    const at = isNext ? last.round : last ? last.round + 1 : 0;
    const round = rounds[at] ?? { rows: [], entities: {} };
    rounds[at] = round;
    if (!isNext && before)
      round.entities[entityId] = [before.kind === "removed" ? null : before.state, before.lastChangedUs, before.atUs];
    const { lastChangedUs, attributes } = event;
    const state = event.kind === "removed" ? null : event.state;
    round.rows.push({ entityId, atUs, state, attributes, ...(hasLastChanged(event) && { lastChangedUs }) });
    placed.set(entityId, { round: at, atUs });
  }
  return rounds;
}

const SOURCE = { kind: "old", identity: "repair", name: "rows that NEW lacks" } as const;

function sourceOf(rows: readonly PastRow[]): HistorySource {
  return {
    ...{ ...SOURCE, placeName: "row" },
    entityIds: async () => undefined,
    async *read() {
      yield { rows, rejected: [], position: null, fraction: 1 };
    },
    close: async () => {},
  };
}

/** Outlives nothing: a repair that was broken off looks again and begins under another name. */
function stateOf({
  homeId,
  relayId,
  sequence,
  entities,
}: Pick<ImportState, "homeId" | "relayId" | "sequence" | "entities">): ImportStateFile {
  const begun = { version: 1, source: SOURCE, pending: [], isFinished: false } as const;
  return {
    load: () => ({ ...begun, homeId, relayId, sequence, entities }),
    save: () => {},
    close: () => {},
  };
}

const DAY_US = 86_400_000_000;

interface RepairSourceOptions {
  readonly config: Config;
  readonly migration: Pick<Migration, "plan" | "homeId">;
  readonly old: OldSystem;
  readonly signal: AbortSignal;
}

/** An InfluxDB is asked for attributes too, which the comparison leaves out: a day of an entity at once, for what is lost together lies together. */
export function createRepairSources({ config, migration, old, signal }: RepairSourceOptions): readonly RepairSource[] {
  const { plan, homeId } = migration;
  if (plan.old.kind !== "influxdb") return [];
  let kept: { readonly key: string; readonly rows: ReadonlyMap<number, PastRow> } | undefined;
  async function dayOf(entityId: string, fromUs: number): Promise<ReadonlyMap<number, PastRow>> {
    const rows = new Map<number, PastRow>();
    const span = { fromUs, toUs: fromUs + DAY_US };
    const isIncluded = (each: string) => each === entityId;
    const past = createOldPast(plan.old, oldSecretsOf(config), { ...span, isIncluded, system: old });
    for await (const piece of past.read(undefined, signal)) for (const row of piece.rows) rows.set(row.atUs, row);
    await past.close();
    return rows;
  }
  return [
    {
      name: "OLD, with attributes",
      async find(entityId, atUs) {
        const fromUs = Math.floor(atUs / DAY_US) * DAY_US;
        const key = `${fromUs} ${entityId}`;
        if (kept?.key !== key) kept = { key, rows: await dayOf(entityId, fromUs) };
        const row = kept.rows.get(atUs);
        return row && eventOfRow(row, homeId);
      },
    },
  ];
}

import type { Clock } from "../base/clock.ts";
import { HearthlineError, messageOf } from "../base/errors.ts";
import type { DeviceIndex, HomeDirectory } from "../devices/index.ts";
import { gapsOf, isImport, type Ledger, type LedgerRow } from "../ingest/index.ts";
import type { EventStore } from "../store/index.ts";
import {
  type Finding,
  judgeImport,
  judgeLedger,
  judgeQueue,
  judgeRelays,
  RELAY_QUIET_SECONDS,
} from "./health-rules.ts";
import type { Health, Part } from "./health-shapes.ts";
import type { HealthMemory, QueueMonitor } from "./ports.ts";
import { judgeTwoRelays } from "./two-relays.ts";

export interface HealthSources {
  readonly events: Pick<EventStore, "check">;
  readonly homes: Pick<HomeDirectory, "get">;
  readonly index: Pick<DeviceIndex, "relayStatuses">;
  readonly ledger: Pick<Ledger, "rows">;
  readonly monitor: QueueMonitor;
  readonly memory: HealthMemory;
  readonly clock: Clock;
  readonly version: string;
  /** A relay that said nothing for longer counts as not connected. Default 180 s: it speaks every minute, and its words travel with its events. */
  readonly relaySilentSeconds?: number;
}

/** The health of what serves every home and, with a home, of its relays and ledger. It never rejects. */
export type GatherHealth = (homeId?: string) => Promise<Health>;

/** A part that has not answered by then is down. */
const PART_DEADLINE_MS = 2_000;
/** Callers within this time get the same answer: a crowd of watchers costs one look. */
const SHARED_MS = 500;
/** Imports are shown for a day, and not more of them than this; all are in the ledger. */
const IMPORT_NEWS_MS = 86_400_000;
const IMPORTS_MAX = 3;
/** What serves every home is remembered under this name. */
const FLEET = "fleet";

export function createHealth(sources: HealthSources): GatherHealth {
  const { clock } = sources;
  const remember = createRemember(sources);
  const shared = new Map<string, { readonly health: Promise<Health>; readonly untilMs: number }>();

  async function gather(homeId: string | undefined): Promise<Health> {
    // Read once for both: with its notes a ledger may be long, and the page asks every two seconds.
    const rows = homeId === undefined ? Promise.resolve([]) : withDeadline(clock, sources.ledger.rows(homeId));
    rows.catch(() => {});
    const findings = await Promise.all([
      findStore(sources),
      findTable(sources),
      findQueues(sources),
      ...(homeId === undefined
        ? []
        : [findRelays(sources, homeId, rows), findLedger(sources, homeId, { rows, remember })]),
    ]);
    const at = isoOf(clock);
    const parts = await Promise.all(
      findings.flat().map(async (finding) => ({
        ...finding,
        since: await remember(scopeOf(finding, homeId), finding.name, finding.state),
      })),
    );
    return {
      status: worstOf(parts),
      at,
      version: sources.version,
      ...(homeId !== undefined && { home_id: homeId }),
      parts,
    };
  }

  return (homeId) => {
    const key = homeId ?? "";
    const known = shared.get(key);
    if (known && known.untilMs > clock.monotonicMs()) return known.health;
    const health = gather(homeId);
    if (shared.size > 1_000) shared.clear();
    shared.set(key, { health, untilMs: clock.monotonicMs() + SHARED_MS });
    return health;
  };
}

const isoOf = (clock: Clock): string => new Date(clock.nowMs()).toISOString();

const worstOf = (parts: readonly Part[]): Health["status"] =>
  (["down", "degraded"] as const).find((state) => parts.some((part) => part.state === state)) ?? "ok";

async function findStore({ events, clock }: HealthSources): Promise<Finding[]> {
  return [await answering({ name: "store", kind: "store" }, clock, () => events.check())];
}

async function findTable({ homes, clock }: HealthSources): Promise<Finding[]> {
  return [await answering({ name: "table", kind: "table" }, clock, () => homes.get("no-such-home"))];
}

async function answering(
  part: Pick<Finding, "name" | "kind">,
  clock: Clock,
  ask: () => Promise<unknown>,
): Promise<Finding> {
  const startedMs = clock.monotonicMs();
  try {
    await withDeadline(clock, ask());
    return { ...part, state: "ok", detail: `Answered in ${Math.round(clock.monotonicMs() - startedMs)} ms.` };
  } catch (thrown) {
    return { ...part, state: "down", detail: `Does not answer: ${messageOf(thrown)}` };
  }
}

async function findQueues({ monitor, clock }: HealthSources): Promise<Finding[]> {
  try {
    return (await withDeadline(clock, monitor.depths())).map(judgeQueue);
  } catch (thrown) {
    return [{ name: "queues", kind: "queue", state: "down", detail: `Do not answer: ${messageOf(thrown)}` }];
  }
}

/** The table says what relays said; when it is away, its own part says so, and of the relays nothing is known. */
async function findRelays(
  sources: HealthSources,
  homeId: string,
  ledger: Promise<readonly LedgerRow[]>,
): Promise<Finding[]> {
  const { index, clock, relaySilentSeconds = RELAY_QUIET_SECONDS } = sources;
  try {
    const statuses = await withDeadline(clock, index.relayStatuses(homeId));
    const rows = await ledger.catch(() => []);
    const heard = new Map(rows.map(({ relayId, updatedAt }) => [relayId, Date.parse(updatedAt)]));
    return judgeRelays(statuses, {
      nowMs: clock.nowMs(),
      silentSeconds: relaySilentSeconds,
      heardAtMs: (relayId) => heard.get(relayId),
    });
  } catch {
    return [{ name: "relay", kind: "relay", state: "degraded", detail: "Not known: the table does not answer." }];
  }
}

async function findLedger(
  sources: HealthSources,
  homeId: string,
  { rows: ledger, remember }: { readonly rows: Promise<readonly LedgerRow[]>; readonly remember: Remember },
): Promise<Finding[]> {
  const { clock } = sources;
  try {
    const rows = (await ledger).filter((row) => row.ranges.length > 0);
    const relays = rows.filter(({ relayId }) => !isImport(relayId));
    const judged = await Promise.all(
      relays.map(async (row) => {
        const [firstGap] = gapsOf(row.ranges);
        if (firstGap === undefined) return judgeLedger(row, 0);
        // Messages overtake each other, so a gap is normal for a while: only one that stays in its place is news.
        const since = await remember(homeId, `gap:${row.relayId}`, `at ${firstGap[0]}`);
        return judgeLedger(row, clock.nowMs() - Date.parse(since));
      }),
    );
    const activeMs = sources.relaySilentSeconds === undefined ? 0 : sources.relaySilentSeconds * 1000;
    return [
      ...judgeTwoRelays(rows, { nowMs: clock.nowMs(), activeMs }),
      ...judged,
      ...lateImports(rows, clock.nowMs()).map(judgeImport),
    ];
  } catch {
    return [{ name: "ledger", kind: "ledger", state: "degraded", detail: "Not known: the table does not answer." }];
  }
}

/** The newest, as long as they are news. */
const lateImports = (rows: readonly LedgerRow[], nowMs: number): LedgerRow[] =>
  rows
    .filter(({ relayId, updatedAt }) => isImport(relayId) && nowMs - Date.parse(updatedAt) <= IMPORT_NEWS_MS)
    .toSorted((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt))
    .slice(0, IMPORTS_MAX);

/** Since when a part has been in the state that it is in now. Never rejects. */
type Remember = (scope: string, part: string, state: string) => Promise<string>;

/** Held here too: so the table is written only when a state changes, and the answer holds while the table is away. */
function createRemember({ memory, clock }: HealthSources): Remember {
  const held = new Map<string, { readonly state: string; readonly since: string }>();
  return async (scope, part, state) => {
    const key = `${scope}\n${part}`;
    const known = held.get(key);
    if (known?.state === state) return known.since;
    const at = isoOf(clock);
    const since = await withDeadline(clock, memory.note(scope, part, state, at)).catch(() => at);
    if (held.size > 10_000) held.clear();
    held.set(key, { state, since });
    return since;
  };
}

const scopeOf = ({ kind }: Finding, homeId: string | undefined): string =>
  homeId !== undefined && (kind === "relay" || kind === "ledger" || kind === "import") ? homeId : FLEET;

async function withDeadline<T>(clock: Clock, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = clock.sleep(PART_DEADLINE_MS, stop.signal).then(() => {
    if (stop.signal.aborted) return undefined as never;
    throw new HearthlineError("service_timeout", `There was no answer within ${PART_DEADLINE_MS} ms.`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}

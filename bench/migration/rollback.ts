import { createDynamodbMigrationStore } from "../../lib/adapters/dynamodb/migrations.ts";
import { INFLUX_LIMITS } from "../../lib/adapters/legacy/old-influx-limits.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { systemClock as clock } from "../../lib/base/clock.ts";
import { silentLogger as log } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { createLossCheck } from "../../lib/migration/checks/loss.ts";
import { newMigration, planSchema, REQUIRED, start } from "../../lib/migration/index.ts";
import type { Check, CheckResult, Migration, MigrationStore, State } from "../../lib/migration/ports.ts";
import { createPointerCache, FRESH_MS } from "../../lib/migration/reads/pointer-cache.ts";
import { withAuthority } from "../../lib/migration/reads/with-authority.ts";
import { createStepper } from "../../lib/migration/step.ts";
import { tableAt } from "../../tests/support/dynalite.ts";
import { startEmulators } from "../cost/setting.ts";
import { type Figures, median, progress, quantile } from "../support/report.ts";

const ROUNDS = 24;
const HOMES_AT_ONCE = 4;
/** Steps begin so far apart here; of a deployed one it is 300 s, and the time until one begins is what it is of that. */
const STEP_EVERY_MS = 1_000;
const READ_EVERY_MS = 10;
const BUDGET_MS = 60_000;
const OWNER = { actor: "owner" };

/** From the fault on, one after the other: until a step begins, until it has found it, until the row and the pointer say so, until a reader is answered by OLD. */
const PARTS = ["notice", "look", "commit", "cache"] as const;
type Split = Readonly<Record<(typeof PARTS)[number], number>>;

/**
 * From an event that is lost by NEW to the first read that OLD answers again: the real step with the real check, the real pointer cache before the real reads, the row and the pointer in DynamoDB (an emulator in a
 * process of its own). Nothing fails for readers meanwhile, so nothing but the pointer brings them back.
 */
export async function measureRollback(): Promise<Figures> {
  const emulators = await startEmulators();
  try {
    const store = createDynamodbMigrationStore(await tableAt(emulators.urls.tables, "bench-rollback"));
    const random = seededRandom(4);
    const all: Split[] = [];
    for (let round = 0; round < ROUNDS; round += HOMES_AT_ONCE) {
      const homes = Array.from({ length: HOMES_AT_ONCE }, (_, home) => `home${round + home}`);
      const luck = () => ({ readsMs: random() * FRESH_MS, faultMs: random() * STEP_EVERY_MS });
      all.push(...(await Promise.all(homes.map((homeId) => oneRollback(store, homeId, luck())))));
    }
    for (const split of all) progress(`rollback: ${JSON.stringify(split)}`);
    const totals = all.map((split) => PARTS.reduce((sum, part) => sum + split[part], 0));
    const parts = PARTS.flatMap((part) => {
      const times = all.map((split) => split[part]);
      return [
        [`rollback_${part}_p50_ms`, median(times)],
        [`rollback_${part}_max_ms`, quantile(times, 1)],
      ];
    });
    return {
      rollback_p50_ms: median(totals),
      rollback_max_ms: quantile(totals, 1),
      rollback_step_every_ms: STEP_EVERY_MS,
      ...(Object.fromEntries(parts) as Figures),
    };
  } finally {
    emulators.stop();
  }
}

/** When each part ended, by the monotonic clock. */
interface Moments {
  fault: number;
  begun: number;
  looked: number;
  pointed: number;
  answered: number;
}

/** When reads begin, and then the fault comes: steps, the cache's looks and the fault fall on no beat together. */
interface Luck {
  readonly readsMs: number;
  readonly faultMs: number;
}

async function oneRollback(store: MigrationStore, homeId: string, { readsMs, faultMs }: Luck): Promise<Split> {
  const at: Moments = { fault: 0, begun: 0, looked: 0, pointed: 0, answered: 0 };
  const now = () => clock.monotonicMs();
  const timely = timedStore(store, at, now);
  const row = watched(homeId);
  await store.create(row);
  const check = createLossCheck({
    ledger: { rows: async () => [] },
    deadLetters: { of: async () => ({ count: at.fault > 0 ? 1 : 0, examples: ["one event"] }) },
  });
  const stepper = createStepper({ store: timely, checks: [well, check], clock, random: seededRandom(1), log });
  const over = new AbortController();
  const stepping = (async () => {
    while (!over.signal.aborted) {
      const startedMs = now();
      if (at.looked === 0) at.begun = startedMs;
      await stepper.step(homeId, row.id, BUDGET_MS);
      await clock.sleep(STEP_EVERY_MS - (now() - startedMs), over.signal);
    }
  })();
  const reads = readsOf(store, () => {
    if (at.pointed > 0 && at.answered === 0) at.answered = now();
  });
  // A step has set the pointer before the first read asks for it.
  await clock.sleep(2 * STEP_EVERY_MS + readsMs);
  const faultAtMs = now() + 2 * FRESH_MS + faultMs;
  while (at.answered === 0) {
    if (at.fault === 0 && now() >= faultAtMs) at.fault = now();
    await reads.range({ homeId, entityIds: ["light.hall"], order: "desc", limit: 1 });
    await clock.sleep(READ_EVERY_MS);
  }
  over.abort();
  await stepping;
  const { fault, begun, looked, pointed, answered } = at;
  return { notice: begun - fault, look: looked - begun, commit: pointed - looked, cache: answered - pointed };
}

/** Everything else that is wanted passes. */
const well: Check = {
  name: "well",
  states: new Set<State>(["stabilise"]),
  run: async () => ({
    results: REQUIRED.stabilise
      .filter((name) => name !== "loss")
      .map((name): CheckResult => ({ name, verdict: "pass", sampleSize: 1, explanation: "It is well." })),
  }),
};

/** NEW answers all, and would for a year. */
function watched(homeId: string): Migration {
  const plan = planSchema.parse({ old: { kind: "influxdb", url: "http://127.0.0.1:9" }, stabiliseSeconds: 31_536_000 });
  const nowUs = clock.nowMs() * 1000;
  const made = newMigration(plan, { homeId, id: `of-${homeId}`, salt: "salt", nowUs, ...OWNER });
  return { ...start(made, { ...OWNER, nowUs }), state: "stabilise", stage: plan.stages.length, stagePercent: 100 };
}

/** Notes when the step that goes back commits, and when the pointer is set. */
const timedStore = (store: MigrationStore, at: Moments, now: () => number): MigrationStore => ({
  ...store,
  async commit(next, options) {
    const isBack = next.state === "rolling_back" && at.looked === 0;
    if (isBack) at.looked = now();
    await store.commit(next, options);
  },
  async setPointer(homeId, pointer) {
    await store.setPointer(homeId, pointer);
    if (at.looked > 0 && at.pointed === 0) at.pointed = now();
  },
});

const readsOf = (store: MigrationStore, onOldRead: () => void) =>
  withAuthority(createMemoryEventStore(), {
    pointers: createPointerCache({ store, clock, log }),
    oldOf: () => ({ limits: INFLUX_LIMITS, range: async () => ({ events: [] }) }),
    clock,
    random: seededRandom(2),
    log,
    onPair: () => {},
    onOldRead,
  });

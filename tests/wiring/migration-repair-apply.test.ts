import { expect, it } from "vitest";
import { createMemoryMigrationStore } from "../../lib/adapters/memory/migration-store.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import type { Difference } from "../../lib/migration/ports.ts";
import type { Asked, HomeRecorder } from "../../lib/wiring/migration-refetch.ts";
import { type ApplyParts, applyRepair, type Planned } from "../../lib/wiring/migration-repair-apply.ts";
import { buildEvent } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";
import { START_US, startedOf } from "../support/migrations.ts";

const lost = (n: number): Difference => ({
  ...{ class: "missing-in-new", entityId: "light.a", atUs: START_US + n, foundUs: START_US, explanation: "It is." },
});
const ROWS = [lost(1), lost(2)];
const actions = ROWS.map((difference) => ({
  ...{ difference, to: "new" as const, from: "old", event: buildEvent({ atUs: difference.atUs }) },
}));
const spans = [{ entityIds: ["light.a"], fromUs: START_US, toUs: START_US + 10 }];

/** A repair of two rows; `arriveMs`: when the recorder's are there, of the time that passes while it waits. */
async function house({
  arriveMs = Number.POSITIVE_INFINITY,
  asked = {},
  apply,
}: {
  readonly arriveMs?: number;
  readonly asked?: Partial<Asked>;
  readonly apply?: ApplyParts["repair"]["apply"];
} = {}) {
  const clock = manualClock();
  const startMs = clock.monotonicMs();
  const store = createMemoryMigrationStore();
  await store.create(startedOf({ homeId: "home", id: "m1" }));
  const sent: number[] = [];
  const isThere = () => clock.monotonicMs() - startMs >= arriveMs;
  const recorder: HomeRecorder = {
    isReachable: async () => true,
    ask: async () => ({ unanswered: [], hasAnswered: true, collectsMs: 0, ...asked }),
  };
  const waiting = {
    ...clock,
    // Nobody lets time pass but who waits for it.
    sleep: (ms: number) => clock.advance(ms),
  };
  const repair: ApplyParts["repair"] = {
    look: async (all) => (isThere() ? { there: all, open: [] } : { there: [], open: all }),
    apply:
      apply ??
      (async (plan) => {
        sent.push(plan.actions.length);
        return { repaired: plan.actions.map(({ difference }) => difference), open: [] };
      }),
  };
  const parts = (by: string): ApplyParts => ({
    ...{ clock: waiting, store, migration: { homeId: "home", id: "m1" }, repair, recorder, actor: by },
    signal: new AbortController().signal,
  });
  const planned: Planned = { actions, left: [], there: [], spans };
  return {
    sent,
    waitedMs: () => clock.monotonicMs() - startMs,
    run: (by = "anna") => applyRepair(parts(by), planned, () => {}),
    reasons: async () => (await store.audit("home", "m1")).map(({ actor, reason }) => `${actor}: ${reason}`),
  };
}

it("waits as long as the relay collects, for what the recorder gave it", async () => {
  const slow = await house({ arriveMs: 70_000, asked: { collectsMs: 60_000 } });
  expect(await slow.run()).toMatchObject({ byRecorder: 2, open: [] });
  expect(slow.sent).toEqual([]);
});

it("does not wait for a recorder that has given nothing, and says why it has not", async () => {
  const silent = await house({
    asked: { hasAnswered: false, unanswered: ["recorder_absent: none"], collectsMs: 60_000 },
  });
  expect(await silent.run()).toMatchObject({ byRecorder: 0, unanswered: ["recorder_absent: none"] });
  expect([silent.sent, silent.waitedMs()]).toEqual([[2], 0]);
  expect((await silent.reasons()).at(-1)).toContain("The recorder did not answer all: recorder_absent: none.");
});

it("that breaks off says so in the audit, and throws what broke it", async () => {
  const broken = await house({
    asked: { hasAnswered: false },
    apply: () => Promise.reject(new HearthlineError("service_unreachable", "OLD is away")),
  });
  await expect(broken.run()).rejects.toMatchObject({ code: "service_unreachable" });
  expect((await broken.reasons()).slice(1)).toEqual([
    expect.stringMatching(/^anna: A repair begins: 1 spans asked of .*, 2 rows from old to new\.$/),
    expect.stringMatching(/^anna: A repair broke off \(.*\): OLD is away$/),
  ]);
});

it("of two operators at once is told whole of both", async () => {
  const both = await house({ asked: { hasAnswered: false } });
  await Promise.all([both.run("anna"), both.run("ben")]);
  const reasons = await both.reasons();
  for (const by of ["anna", "ben"]) {
    const own = reasons.filter((reason) => reason.startsWith(by));
    expect(own.map((reason) => reason.slice(by.length, by.length + 16))).toEqual([
      ": A repair begin",
      ": The repair has",
    ]);
  }
});

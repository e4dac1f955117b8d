import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createOldPast } from "../../../lib/adapters/legacy/old-past.ts";
import { createOldSystem } from "../../../lib/adapters/legacy/old-system.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import { startLegacy } from "../../../local/legacy/server.ts";
import { backfillOf, stepOf } from "../../migration/backfill-support.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { KeepingSink } from "../../support/imports.ts";
import { manualClock } from "../../support/manual-clock.ts";

it("brings the past of an HTTP pipeline over, step by step, with its attributes, removals and changes", async () => {
  const data = mkdtempSync(join(tmpdir(), "hearthline-past-"));
  const clock = manualClock(Date.UTC(2026, 11, 1));
  const legacy = await startLegacy({ port: 0, data, seed: 1, clock });
  onTestFinished(async () => {
    await legacy.stop();
    rmSync(data, { recursive: true });
  });
  const { old } = planSchema.parse({ old: { kind: "http", url: legacy.url } });
  const system = createOldSystem(old, {}, { clock });
  const step = 600_000_001;
  const events = Array.from({ length: 100 }, (_, n) =>
    buildEvent({
      entityId: `light.l${n % 4}`,
      atUs: SOME_TIME_US + n * step,
      state: n % 8 < 4 ? "on" : "off",
      attributes: { brightness: n },
      ...(n === 90 && { kind: "removed", state: "", attributes: {} }),
    }),
  );
  await system.write(events);
  // Not included: what is written by both already.
  const toUs = SOME_TIME_US + 95 * step;
  const isIncluded = (entityId: string) => entityId !== "light.l3";
  const sink = new KeepingSink();
  const seen: (number | undefined)[] = [];
  let memory: unknown;
  for (let steps = 0; steps < 40 && seen.at(-1) !== 100; steps++) {
    // A new process each time.
    const source = () => createOldPast(old, {}, { isIncluded, toUs, system });
    const { result, memory: after, text } = await stepOf(backfillOf({ sink, source, rowsPerStep: 10 }), memory);
    expect(text?.length).toBeLessThan(1_000);
    memory = after;
    seen.push(result?.observed);
  }
  expect(seen.length).toBeGreaterThan(3);
  expect(seen).toEqual(seen.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
  const wanted = events.filter(({ atUs, entityId }) => atUs < toUs && isIncluded(entityId));
  const records = sink.records;
  expect(records.map(({ entity_id }) => entity_id)).toEqual(wanted.map(({ entityId }) => entityId));
  expect(records.filter(({ t }) => t === "removed")).toHaveLength(1);
  for (const [at, record] of records.entries())
    if (record.t === "state") expect(record.attributes).toEqual(wanted[at]?.attributes);
  // The first of each entity, and the one after it was removed, are no changes; nothing else is taken for new.
  expect(records.filter((record) => record.t === "state" && record.kind === "restore")).toHaveLength(4);
});

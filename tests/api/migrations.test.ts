import { beforeEach, describe, expect, it } from "vitest";
import { hashToken } from "../../lib/api/index.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { changed } from "../../lib/migration/row.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";

let api: TestApi;
let clock: ManualClock;
const ADMIN = tokenText("home", "d");
const PLAN = { old: { kind: "influxdb", url: "http://influxdb.local:8086" } };

beforeEach(async () => {
  clock = manualClock();
  api = await createTestApi({ clock });
  const createdAt = "2026-11-22T06:00:00.000Z";
  const token = { id: "a", homeId: "home", name: "anna", scopes: ["admin" as const], createdAt };
  await api.tokens.add({ ...token, hash: hashToken(ADMIN) });
});

// biome-ignore lint/suspicious/noExplicitAny: the answer is JSON of the route that was asked
const read = async (response: Response): Promise<{ status: number; etag: string | null; body: any }> => ({
  status: response.status,
  etag: response.headers.get("etag"),
  body: await response.json(),
});
const plan = async (body: unknown = PLAN, token = ADMIN) => read(await api.post("/api/v1/migrations", body, { token }));
const get = async (path: string, token = tokenText("home", "r")) =>
  read(await api.ask(`/api/v1/migrations${path}`, { token }));
const change = async (path: string, epoch: number | string | undefined, body?: unknown, token = ADMIN) => {
  const headers: Record<string, string> = epoch === undefined ? {} : { "if-match": `"${epoch}"` };
  const init = { method: "POST", token, headers };
  return read(
    body === undefined
      ? await api.ask(`/api/v1/migrations/${path}`, init)
      : await api.post(`/api/v1/migrations/${path}`, body, init),
  );
};
const made = async (body: unknown = PLAN): Promise<string> => (await plan(body)).body.id;

/** What a step would have done. */
async function step(id: string, given: Parameters<typeof changed>[1] | { readonly row: object }): Promise<void> {
  const there = await api.migrationStore.get("home", id);
  if (!there) throw new Error(id);
  const full = { nowUs: clock.nowMs() * 1000, actor: "validate-migration", reason: "As the checks say.", ...given };
  const next = "state" in given ? changed(there, full) : { ...there, revision: there.revision + 1, ...given.row };
  await api.migrationStore.commit(next, { expected: there.revision });
}

describe("a plan", () => {
  it("makes a migration that moves nothing yet, found under its address with its epoch", async () => {
    const { status, etag, body } = await plan();
    expect([status, etag]).toEqual([201, '"1"']);
    expect(body).toMatchObject({ home_id: "home", state: "prepared", epoch: 1, authority: "old", stage_percent: 0 });
    expect(body.plan).toMatchObject({ soak_seconds: 300, old: { fed_by: "home-assistant" }, gates: ["cleanup"] });
    expect(body.situation).toBe("Made, not started yet: nothing moves.");
    expect(await get(`/${body.id}`)).toEqual({ status: 200, etag: '"1"', body });
    expect((await get("")).body).toEqual({ migrations: [body], next: null });
    expect((await get(`/${body.id}/audit`)).body.changes).toMatchObject([{ epoch: 1, actor: "anna" }]);
  });

  it("is refused with every wrong member named as its writer named it", async () => {
    const wrong = {
      ...PLAN,
      stages: [50, 20],
      soak_seconds: 0,
      thresholds: { alert_percent: 120, rollback_percent: 5, alpha: 2 },
      soak: "5m",
      old: { kind: "mysql", url: "ftp://x", fed_by: "nobody" },
    };
    const { status, body } = await plan(wrong);
    expect([status, body.code]).toEqual([400, "migration_plan_invalid"]);
    expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      "old.fed_by",
      "old.kind",
      "old.url",
      "soak",
      "soak_seconds",
      "thresholds.alert_percent",
      "thresholds.alpha",
    ]);
    expect((await plan({ ...PLAN, stages: [50, 20] })).body.errors).toEqual([
      { field: "stages.1", detail: "stage 20 does not rise above the one before it (50)" },
      { field: "stages", detail: "the last stage is 20; wanted is 100" },
    ]);
    expect((await plan({ old: { kind: "http", url: "" } })).body.errors).toMatchObject([{ field: "old.url" }]);
    for (const body of [[], 1, null, {}, { old: [] }]) expect((await plan(body)).status).toBe(400);
    expect((await get("")).body.migrations).toEqual([]);
  });

  it("never repeats a password that stood in an address", async () => {
    for (const url of ["http://me:secret@old.local/", "http://old.local/?u=me&p=secret"]) {
      const { status, body } = await plan({ old: { kind: "http", url } });
      expect([status, body.errors[0].field]).toEqual([400, "old.url"]);
      expect(JSON.stringify(body)).not.toContain("secret");
    }
  });

  it("that is no object at all is called the plan", async () => {
    expect((await plan([])).body.detail).toMatch(/^The plan cannot be used\. plan: /);
  });

  it("is refused while the home has a migration under way, and not once it has ended", async () => {
    const id = await made();
    expect(await plan()).toMatchObject({ status: 409, body: { code: "migration_exists" } });
    await change(`${id}/abort`, 1);
    clock.set(clock.nowMs() + 1_000);
    expect((await plan()).status).toBe(201);
    expect((await get("")).body.migrations.map(({ state }: { state: string }) => state)).toEqual([
      "prepared",
      "rolled_back",
    ]);
  });
});

describe("who changes a migration", () => {
  it("names the epoch that he saw: another one is stale, and told what happened", async () => {
    const id = await made();
    expect(await change(`${id}/start`, undefined)).toMatchObject({ status: 428, body: { code: "epoch_missing" } });
    for (const epoch of ["x", "1.5", '1", "2', "*"])
      expect(await change(`${id}/start`, epoch)).toMatchObject({ status: 400, body: { code: "request_invalid" } });
    expect(await change(`${id}/start`, 1, {})).toMatchObject({ status: 200, etag: '"2"', body: { epoch: 2 } });
    const second = await change(`${id}/rollback`, 1, { reason: "I do not like it" });
    expect(second).toMatchObject({ status: 412, body: { code: "migration_stale" } });
    expect(second.body.detail).toMatch(/epoch 1; it is at epoch 2 now, in prepared.*by "anna" at .*: Started\./);
  });

  it("is not sent away because a step has written the row meanwhile", async () => {
    const id = await made();
    await change(`${id}/start`, 1);
    await step(id, { row: { lastStepUs: 1 } });
    expect((await change(`${id}/pause`, 2, { reason: "guests" })).body).toMatchObject({
      state: "paused",
      reason: "guests",
      situation: "Held by hand. guests.",
    });
    expect((await change(`${id}/resume`, 3)).body).toMatchObject({ state: "prepared", epoch: 4 });
  });

  it("needs an admin's token; the other home's migration is none", async () => {
    const id = await made();
    const write = tokenText("home");
    expect((await plan(PLAN, write)).status).toBe(403);
    for (const what of ["start", "pause", "resume", "advance", "rollback", "abort", "readers"]) {
      expect((await change(`${id}/${what}`, 1, {}, write)).status).toBe(403);
      const body = what === "readers" ? { reader: "test", to: "new" } : {};
      expect((await change(`none/${what}`, 1, body)).status).toBe(404);
    }
    for (const path of ["", "/report", "/report.html", "/differences", "/metrics", "/audit"]) {
      const response = await api.ask(`/api/v1/migrations/${id}${path}`, { token: tokenText("other") });
      expect([path, response.status]).toEqual([path, 404]);
    }
  });

  it("over a verdict that says no, needs force and a reason, which the audit keeps", async () => {
    const id = await made();
    await change(`${id}/start`, 1);
    expect(await change(`${id}/advance`, 2)).toMatchObject({ status: 409, body: { code: "migration_refused" } });
    expect((await change(`${id}/advance`, 2, { force: true })).status).toBe(409);
    expect((await change(`${id}/advance`, 2, { reason: "I am sure" })).status).toBe(409);
    const forced = await change(`${id}/advance`, 2, { force: true, reason: "I am sure" });
    expect(forced.body).toMatchObject({ state: "dual_write", epoch: 3 });
    expect((await get(`/${id}/audit`)).body.changes.at(-1)).toMatchObject({
      actor: "anna",
      reason: "I am sure",
      is_forced: true,
    });
    expect(await change(`${id}/resume`, 3)).toMatchObject({ status: 409, body: { code: "migration_state_wrong" } });
    for (const body of [{ force: "yes" }, { why: "x" }, [], { reason: " " }])
      expect((await change(`${id}/advance`, 3, body)).status).toBe(400);
  });

  it("takes it back at once: the pointer says OLD when the answer is there", async () => {
    const id = await made();
    await change(`${id}/start`, 1);
    await step(id, { state: "ramp", stage: 2, stagePercent: 50, nowUs: 1, actor: "x", reason: "x" });
    const back = await change(`${id}/rollback`, 3, { reason: "slow evenings" });
    expect(back.body).toMatchObject({ state: "rolling_back", authority: "old", stage_percent: 0, epoch: 4 });
    expect(await api.migrationStore.pointer("home")).toMatchObject({ authority: "old", epoch: 4, basisPoints: 0 });
  });

  it("goes back stage by stage when that is asked", async () => {
    const id = await made();
    await change(`${id}/start`, 1);
    await step(id, { state: "ramp", stage: 2, stagePercent: 50, nowUs: 1, actor: "x", reason: "x" });
    const back = await change(`${id}/rollback`, 3, { at: "stepwise" });
    expect(back.body).toMatchObject({ state: "rolling_back", authority: "split", stage_percent: 50 });
    expect((await change(`${id}/rollback`, 4, { at: "tomorrow" })).status).toBe(400);
  });

  it("moves one reader by the name of its token", async () => {
    const id = await made();
    await change(`${id}/start`, 1);
    const body = { reader: "anna", to: "new" };
    expect(await change(`${id}/readers`, 2, body)).toMatchObject({ status: 409, body: { code: "migration_refused" } });
    await step(id, { state: "shadow", nowUs: 1, actor: "x", reason: "x" });
    expect((await change(`${id}/readers`, 3, body)).body.readers).toEqual({ anna: "new" });
    expect((await api.migrationStore.pointer("home"))?.readers).toEqual({ anna: "new" });
    const nobody = await change(`${id}/readers`, 4, { reader: "grafana", to: "new" });
    expect([nobody.status, nobody.body.detail]).toEqual([404, expect.stringContaining('"anna"')]);
    expect((await change(`${id}/readers`, 4, { reader: "anna", to: "split" })).body.readers).toEqual({});
  });
});

it("a name that no table takes is nobody's, whatever is asked of it", async () => {
  const id = "m".repeat(2_500);
  for (const path of ["", "/audit", "/differences", "/metrics", "/report", "/report.html"])
    expect(await get(`/${id}${path}`)).toMatchObject({ status: 404, body: { code: "not_found" } });
  expect(await change(`${id}/start`, 1)).toMatchObject({ status: 404 });
});

it("a row of another version is left as it is, and everybody is told why", async () => {
  const id = await made();
  const there = await api.migrationStore.get("home", id);
  const unknown = () => Promise.reject(new HearthlineError("store_incompatible", "It was written in version 2."));
  api.migrationStore.get = unknown;
  api.migrationStore.list = unknown;
  for (const path of ["", `/${id}`, `/${id}/audit`, `/${id}/differences`, `/${id}/metrics`, `/${id}/report`])
    expect(await get(path)).toMatchObject({ status: 503, body: { detail: "It was written in version 2." } });
  for (const what of ["start", "resume", "rollback", "abort"])
    expect(await change(`${id}/${what}`, 1)).toMatchObject({ status: 503, body: { code: "service_unavailable" } });
  expect(there).toMatchObject({ epoch: 1, state: "prepared" });
});

describe("what is read of a migration", () => {
  const check = {
    name: "performance.range",
    verdict: "pass" as const,
    observed: 0.97,
    low: 0.93,
    high: Number.POSITIVE_INFINITY,
    limit: 1.2,
    sampleSize: 420,
    explanation: "NEW takes 0.97 of OLD's time.",
  };
  const difference = {
    class: "missing-in-new" as const,
    entityId: "light.<b>",
    atUs: 1_764_000_000_000_001,
    foundUs: 1_764_000_100_000_000,
    explanation: "<script>alert(1)</script>",
  };
  let id: string;
  beforeEach(async () => {
    id = await made();
    await change(`${id}/start`, 1);
    await step(id, { state: "ramp", stage: 1, stagePercent: 25, evidence: [check], nowUs: 1, actor: "x", reason: "x" });
    await step(id, { row: { checks: [check], verdict: "pass", lastStepUs: 1 } });
    await api.migrationStore.addDifferences("home", id, [
      difference,
      { ...difference, atUs: difference.atUs - 5, class: "different", field: "state", old: "on", new: "off" },
    ]);
    const pair = { by: "probe" as const, query: "range", rows: 3, isEqual: true };
    const atUs = clock.nowMs() * 1000;
    await api.migrationStore.addPairs("home", id, [
      ...[1, 2, 3, 4, 5, 6].map((ms) => ({ ...pair, atUs: atUs + ms, oldMs: 10, newMs: 9 + ms / 10 })),
      { ...pair, atUs: atUs + 7, oldMs: 10, newError: "timeout" },
    ]);
    clock.set(clock.nowMs() + 1);
  });

  it("pages differences with their counts, oldest first", async () => {
    const page = (await get(`/${id}/differences?limit=1`)).body;
    expect(page.counts).toMatchObject({
      missing_in_new: 1,
      missing_in_old: 0,
      different: 1,
      late: 0,
      known_limit: 0,
      repaired: 0,
    });
    expect(page.differences).toMatchObject([{ class: "different", at: "2025-11-24T15:59:59.999996+00:00" }]);
    const next = (await get(`/${id}/differences?limit=1&cursor=${page.next}`)).body;
    expect([next.differences[0].class, next.next]).toEqual(["missing-in-new", null]);
  });

  it("gives lag, verdicts and the times of both sides", async () => {
    await api.ledger.record("home", "relay-1", [{ range: [1, 50] }, { range: [61, 120] }]);
    const { body } = await get(`/${id}/metrics`);
    expect(body).toMatchObject({ authority: "split", verdict: "pass", checks: [{ observed: 0.97, low: 0.93 }] });
    expect(body.checks[0]).not.toHaveProperty("high");
    expect(body.sinks).toEqual([
      { name: "new", lag_seconds: null, lost_events: 0, last_sequence: 120, complete_up_to: 50, missing: 10 },
      { name: "old", lag_seconds: null, lost_events: null },
    ]);
    expect(body.reads).toMatchObject([{ query: "range", pairs: 7, new_errors: 1, old_p95_ms: 10, new_p95_ms: 9.6 }]);
    const [{ ratio, low, high }] = body.reads;
    expect(ratio).toBeCloseTo(0.9348, 3);
    expect([low < ratio, high > ratio]).toEqual([true, true]);
  });

  it("stands in the metrics of the whole, for who brings a token", async () => {
    const text = await (await api.ask("/metrics")).text();
    const families = parseOpenMetrics(text);
    expect(families.get("hearthline_migration_stage_percent")).toMatchObject({ samples: [{ value: 25 }] });
    expect(text).toContain(`hearthline_migration_state{migration="${id}",hearthline_migration_state="ramp"} 1`);
    expect(text).toContain(`hearthline_migration_check_low{migration="${id}",check="performance.range"} 0.93`);
    expect(text).toContain(`hearthline_migration_differences{migration="${id}",class="different"} 1`);
    expect(await (await api.ask("/metrics", { token: null })).text()).not.toContain("migration");
    const other = await (await api.ask("/metrics", { token: tokenText("other") })).text();
    expect(other).not.toContain("migration");
  });

  it("is a report with its figures, and the same as a page on which nothing runs", async () => {
    const { body } = await get(`/${id}/report`);
    expect(body).toMatchObject({
      state: "ramp",
      stage_percent: 25,
      figures: { lost_events: 1, reads: 7, read_errors: 1 },
      differences: { missing_in_new: 1, different: 1, repaired: 0 },
    });
    const page = await api.ask(`/api/v1/migrations/${id}/report.html`);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'; style-src 'sha256-/);
    const text = await page.text();
    expect(text).not.toMatch(/<script|<b>|src=|href="http/);
    expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(text).toContain("light.&lt;b&gt;");
  });
});

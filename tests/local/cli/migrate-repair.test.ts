import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Difference, DifferenceClass } from "../../../lib/migration/types.ts";
import type { MigrationRepair, PlannedRepair, RepairedRows } from "../../../lib/wiring/migration-repair.ts";
import { createApiClient } from "../../../local/cli/api-client.ts";
import { findContext } from "../../../local/cli/context.ts";
import { runRepair } from "../../../local/cli/migrate-repair.ts";
import { createOutput } from "../../../local/cli/output.ts";
import { createTestApi, serveApi, type TestApi, tokenText } from "../../support/api.ts";
import { runCli } from "../../support/cli.ts";
import { buildEvent } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { migrationOf } from "../../support/migrations.ts";

const ADMIN = tokenText("home", "d");
const AT_US = Date.UTC(2026, 10, 22, 6) * 1000;
const difference = (n: number, kind: DifferenceClass = "missing-in-new"): Difference => ({
  ...{ class: kind, entityId: "light.a\u001b[2J", atUs: AT_US + n, foundUs: AT_US, explanation: "It is." },
  [kind === "missing-in-old" ? "new" : "old"]: "on",
});
const action = (n: number, to: "old" | "new"): PlannedRepair["actions"][number] => ({
  ...{ difference: difference(n, `missing-in-${to}`), to, from: to === "new" ? "old" : "new" },
  event: buildEvent({ atUs: AT_US + n }),
});
const planOf = (more: Partial<PlannedRepair> = {}): PlannedRepair => ({
  ...{ actions: [action(1, "new"), action(2, "new"), action(3, "old")], left: [], there: [], isAll: true, spans: [] },
  ...{ tried: ["OLD (http://old.test)"], ...more },
});
const doneOf = (more: Partial<RepairedRows> = {}): RepairedRows => ({
  ...{
    repaired: [difference(1), difference(2), difference(3, "missing-in-old")],
    open: [],
    refused: [],
    byRecorder: 0,
  },
  unanswered: [],
  ...{ isFinished: true, ...more },
});

interface Given {
  readonly planned?: Partial<PlannedRepair>;
  readonly done?: Partial<RepairedRows>;
  readonly isJson?: boolean;
  readonly isTerminal?: boolean;
  /** Aborted while it plans. */
  readonly isStopped?: boolean;
}

/** The command over a repair that finds this and does that. */
async function repaired(flags: Parameters<typeof runRepair>[2]["flags"], given: Given = {}) {
  const said = { out: "", err: "", code: 0, message: "" };
  const asked: DifferenceClass[][] = [];
  let applied = 0;
  const streams = {
    out: (text: string) => {
      said.out += text;
    },
    err: (text: string) => {
      said.err += text;
    },
    isTerminal: given.isTerminal === true,
  };
  const stop = new AbortController();
  const context = findContext({ HEARTHLINE_TOKEN: ADMIN });
  const tools = () => ({
    ...{ context, api: createApiClient(context), output: createOutput(given.isJson === true, streams) },
    ...{ signal: stop.signal, clock: manualClock() },
  });
  const repair: Pick<MigrationRepair, "plan" | "apply"> = {
    plan: async (classes, onProgress) => {
      asked.push([...classes]);
      onProgress?.(50, 100);
      if (given.isStopped) stop.abort();
      return planOf(given.planned);
    },
    apply: async (_planned, onProgress) => {
      applied += 1;
      onProgress?.(200, 268);
      return doneOf(given.done);
    },
  };
  try {
    await runRepair(tools, repair, { migration: { id: "m1" }, flags });
  } catch (thrown) {
    const { exitCode, message } = thrown as { exitCode: number; message: string };
    Object.assign(said, { code: exitCode, message });
  }
  return { ...said, asked, applied };
}

describe("migrate repair", () => {
  it("says by a dry run what it would send where, and sends nothing", async () => {
    const left = [{ difference: difference(9, "different"), reason: "a person must know which is right" }];
    const { out, code, applied, asked } = await repaired({ dryRun: true }, { planned: { left, isAll: false } });
    expect([code, applied, asked]).toEqual([0, 0, [["missing-in-new", "missing-in-old", "different"]]]);
    expect(out).toMatch(/missing-in-new +old +new +2 +light\.a/);
    expect(out).toMatch(/missing-in-old +new +old +1 +light\.a/);
    expect(out).toContain("asked for what NEW lacks, in this order: OLD (http://old.test)");
    expect(out).toContain("1 are left alone: a person must know which is right. One of them: light.a");
    expect(out).toContain("run it again");
    expect(out).not.toContain("\u001b");
  });

  it("asks first, and where nobody can be asked wants to be told so", async () => {
    const { code, message, applied, err } = await repaired({});
    expect([code, applied]).toEqual([2, 0]);
    expect(message).toContain("This sends 2 rows to NEW and 1 rows to OLD.");
    expect(message).toContain("--yes");
    expect(err).toContain("missing-in-new");
  });

  it("sends it with a bar, and says what is there", async () => {
    const { code, applied, out, err } = await repaired({ yes: true }, { isTerminal: true });
    expect([code, applied]).toEqual([0, 1]);
    expect(out).toContain("3 rows were sent again, and both sides have them now");
    expect(err).toContain("50 rows looked at");
    expect(err).toContain("200 rows sent");
  });

  it("takes only the class that was named", async () => {
    expect((await repaired({ yes: true, class: "missing-in-old" })).asked).toEqual([["missing-in-old"]]);
  });

  it.each<[string, Given, string]>([
    ["is not there yet", { done: { open: [{ difference: difference(1), reason: "full" }] } }, "1 rows differ still"],
    ["is for a person", { planned: { left: [{ difference: difference(4), reason: "so" }] } }, "1 rows differ still"],
    ["was not begun", { done: { isFinished: false } }, "the same command goes on"],
    ["is more than one repair takes", { planned: { isAll: false } }, "run it again"],
    [
      "can be sent by nobody",
      { planned: { actions: [], left: [{ difference: difference(4), reason: "so" }] } },
      "1 rows",
    ],
  ])("ends with 1 when something %s", async (_name, given, words) => {
    const { code, message } = await repaired({ yes: true }, given);
    expect([code, message]).toEqual([1, expect.stringContaining(words)]);
  });

  it("names what NEW does not take", async () => {
    const { out } = await repaired({ yes: true }, { done: { refused: ["a time\u001b[2J of nobody"] } });
    expect(out).toMatch(/NEW does not take: a time.* of nobody/);
    expect(out).not.toContain("\u001b");
  });

  it("changes nothing when it is stopped while it looks", async () => {
    const { code, applied, message } = await repaired({ yes: true }, { isStopped: true });
    expect([code, applied, message]).toEqual([1, 0, expect.stringContaining("nothing was changed")]);
  });

  it("asks nobody when nothing differs, and notes without asking what is there by now", async () => {
    expect(await repaired({}, { planned: { actions: [] } })).toMatchObject({ code: 0, applied: 0 });
    const noted = await repaired({}, { planned: { actions: [], there: [difference(1)] }, done: { repaired: [] } });
    expect(noted).toMatchObject({ code: 0, applied: 1 });
  });

  it("is one document as JSON", async () => {
    const { out } = await repaired({ yes: true }, { isJson: true, done: { repaired: [difference(1)] } });
    expect(JSON.parse(out)).toMatchObject({
      migration: "m1",
      dry_run: false,
      planned: [
        {
          class: "missing-in-new",
          from: "old",
          to: "new",
          rows: 2,
          example: { at: "2026-11-22T06:00:00.000001+00:00" },
        },
        { class: "missing-in-old", from: "new", to: "old", rows: 1 },
      ],
      ...{ left: [], already_there: 0, is_all: true, repaired: 1, open: [], refused: [], is_finished: true },
    });
    expect(JSON.parse((await repaired({ dryRun: true }, { isJson: true })).out)).toMatchObject({ dry_run: true });
  });
});

describe("migrate repair and differences on a command line", () => {
  let api: TestApi;
  let served: Awaited<ReturnType<typeof serveApi>>;
  const run = (...args: string[]) => runCli(["migrate", ...args], { url: served.url, token: ADMIN });

  beforeEach(async () => {
    api = await createTestApi({ clock: manualClock() });
    await api.addToken(ADMIN, "home", ["admin"]);
    served = await serveApi(api);
    await api.migrationStore.create(migrationOf());
  });
  afterEach(() => served.close());

  it("wants the cloud within reach, and classes that can be repaired", async () => {
    expect(await run("repair")).toMatchObject({ code: 3, err: expect.stringContaining("AWS_ACCESS_KEY_ID") });
    expect((await run("repair", "--class", "different")).code).toBe(2);
  });

  it("shows what was repaired, and no longer ends with 1 for it", async () => {
    await api.migrationStore.addDifferences("home", "m1", [difference(1), difference(2)]);
    expect((await run("differences")).code).toBe(1);
    await api.migrationStore.addDifferences("home", "m1", [{ ...difference(1), isRepaired: true }]);
    expect((await run("differences")).code).toBe(1);
    await api.migrationStore.addDifferences("home", "m1", [{ ...difference(2), isRepaired: true }]);
    const { code, out } = await run("differences");
    expect(code).toBe(0);
    expect(out).toContain("missing in new 2");
    expect(out).toContain("repaired 2");
    expect(out).toMatch(/missing-in-new \(repaired\) +light\.a/);
    const report = JSON.parse((await run("report", "--json")).out);
    expect(report.differences).toMatchObject({ missing_in_new: 2, repaired: 2 });
    expect(report.figures.lost_events).toBe(0);
  });
});

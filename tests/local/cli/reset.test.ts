import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbPatternStore } from "../../../lib/adapters/dynamodb/patterns.ts";
import { createDynamodbSuggestionStore } from "../../../lib/adapters/dynamodb/suggestions.ts";
import { runCommand } from "../../../local/cli/program.ts";
import { suggestion } from "../../conformance/suggestion-store.ts";
import { pattern } from "../../suggestions/samples.ts";
import { second } from "../../support/imports.ts";
import { type Pipeline, startPipeline } from "../../support/pipeline.ts";
import { sealed, stateRecord } from "../../support/records.ts";

const folder = mkdtempSync(join(tmpdir(), "hearthline-cli-reset-"));
let pipeline: Pipeline;
let home: Awaited<ReturnType<Pipeline["addHome"]>>;
beforeAll(async () => {
  pipeline = await startPipeline();
  home = await pipeline.addHome("home");
  const records = Array.from({ length: 25 }, (_, n) => stateRecord({ state: String(n), atUs: second(n) }));
  await pipeline.send("events", sealed(records, home));
  await pipeline.drain();
});
afterAll(async () => {
  await pipeline.stop();
  rmSync(folder, { recursive: true, force: true });
});

const reset = (...args: readonly string[]) => resetWith({}, ...args);

async function resetWith(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const said = { out: "", err: "" };
  const code = await runCommand(["reset", ...args], {
    env: {
      ...pipeline.env,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      HEARTHLINE_DATA: folder,
      HEARTHLINE_RAW_DAYS: "30",
      ...env,
    },
    streams: {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      isTerminal: false,
    },
    signal: new AbortController().signal,
    version: "0.0.0-test",
    run: async () => 0,
  });
  return { code, ...said };
}
const stored = async () => (await pipeline.events(home.token)).length;

describe("hearthline reset", () => {
  it("does nothing without --fresh, nor without being told to where nobody can be asked", async () => {
    expect(await reset()).toMatchObject({ code: 2, err: expect.stringContaining("--fresh") });
    expect(await reset("--fresh")).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
    expect(await stored()).toBe(25);
  });

  it("drops nothing where the store or the table cannot be reached, and says so with exit code 3", async () => {
    const noTable = { AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1" };
    expect(await resetWith(noTable, "--fresh", "--yes")).toMatchObject({ code: 3 });
    const noStore = { HEARTHLINE_STORE: "influxdb", HEARTHLINE_INFLUXDB_URL: "http://127.0.0.1:1" };
    expect(await resetWith(noStore, "--fresh", "--yes")).toMatchObject({ code: 3 });
    expect(await stored()).toBe(25);
  });

  it("drops events, aggregates and patterns, keeps homes, tokens and ledger, and goes on taking events", async () => {
    const patterns = createDynamodbPatternStore(pipeline.cloud.table);
    const suggestions = createDynamodbSuggestionStore(pipeline.cloud.table);
    await patterns.change("home", () => [pattern({ id: "a" })]);
    await suggestions.change("home", () => [
      suggestion("open", { rank: 1 }),
      suggestion("no", { status: "dismissed" }),
    ]);
    const first = await reset("--fresh", "--yes", "--json");
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(first.out)).toEqual({
      store: "sqlite",
      homes: ["home"],
      dropped_aggregates: 0,
      dropped_patterns: 1,
      retention: { raw_days: 30, means: ["job"], store_days: null },
    });
    expect(await stored()).toBe(0);
    expect([await patterns.list("home"), (await suggestions.list("home")).map(({ id }) => id)]).toEqual([[], ["no"]]);
    await pipeline.send("events", sealed([stateRecord({ atUs: second(99) })], { ...home, first: 26 }));
    await pipeline.drain();
    expect(await stored()).toBe(1);
    const ledger = await pipeline.ask(home.token, "/api/v1/ledger");
    expect(JSON.stringify(ledger.json)).toContain('"complete_up_to":26');
    expect((await reset("--fresh", "--yes")).out).toMatch(/empty, made anew/);
    expect(await stored()).toBe(0);
  });
});

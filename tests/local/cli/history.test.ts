import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { formatIsoUs } from "../../../lib/base/time.ts";
import { runCommand } from "../../../local/cli/program.ts";
import { createProgressBar, durationText, progressLine } from "../../../local/cli/progress.ts";
import { second } from "../../support/imports.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { type Pipeline, startPipeline } from "../../support/pipeline.ts";

const folder = mkdtempSync(join(tmpdir(), "hearthline-cli-history-"));
const file = join(folder, "events.jsonl");
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.addHome("home");
});
afterAll(async () => {
  await pipeline?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  writeFileSync(
    file,
    [1, 2, 3]
      .map((n) => JSON.stringify({ entity_id: "sensor.a", state: String(n), last_updated: formatIsoUs(second(n)) }))
      .join("\n"),
  );
});

let folders = 0;

async function run(
  args: readonly string[],
  { env = {}, isTerminal = false }: { env?: Record<string, string>; isTerminal?: boolean } = {},
) {
  const said = { out: "", err: "" };
  const code = await runCommand(["history", "import", ...args], {
    env: { ...pipeline.env, HEARTHLINE_DATA: join(folder, `data-${folders}`), ...env },
    streams: {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      isTerminal,
    },
    signal: new AbortController().signal,
    version: "0.1.0",
    run: async () => 0,
  });
  return { code, ...said };
}

describe("hearthline history import", () => {
  beforeEach(() => {
    folders += 1;
  });

  it("prints what came of it as JSON, with each bad line by its number and code", async () => {
    writeFileSync(
      file,
      `{"entity_id":"sensor.a","state":"1","last_updated":"2026-09-01T00:00:00Z"}\noops\n{"entity_id":"light.b","state":"on","last_updated":"2026-09-01T00:00:01Z"}\n`,
    );
    const { code, out, err } = await run(["--file", file, "--exclude", "light", "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({
      home_id: "home",
      source: { kind: "jsonl", name: file },
      finished: true,
      read: 3,
      imported: 1,
      skipped: { filtered: 1, outside_range: 0, repeated: 0 },
      rejected: { count: 1, by_code: { record_malformed: 1 }, rows: [{ line: 2, code: "record_malformed" }] },
      range: { from: "2026-09-01T00:00:00.000000+00:00", to: "2026-09-01T00:00:00.000000+00:00" },
      sequence: 1,
      relay_id: expect.stringMatching(/^import-[0-9a-f]{12}-[0-9a-f]{8}$/),
    });
  });

  it("tells people, says the second time that nothing is new, and begins again when told to", async () => {
    const first = await run(["--file", file], { isTerminal: true });
    expect(first.code).toBe(0);
    expect(first.out).toContain(`imported   3 of 3 rows of "${file}" into home "home"`);
    expect(first.out).toContain("range      2026-09-01T00:00:01.000000+00:00 to 2026-09-01T00:00:03.000000+00:00");
    expect(first.err).toMatch(/\[#+-*\].*rows/);
    expect((await run(["--file", file])).out).toBe(`nothing new in "${file}"\n`);
    expect((await run(["--file", file, "--restart"])).out).toContain("imported   3 of 3");
    const part = await run(["--file", file, "--from", "2026-09-01T00:00:02Z", "--to", "2026-09-01T00:00:03Z"]);
    expect(part.out).toContain("imported   1 of 3");
    expect(part.out).toContain("skipped    outside_range 2");
  });

  it("says how much of it the nightly job will delete, and the help says that it does", async () => {
    const old = await run(["--file", file]);
    expect(old.out).toContain(
      "old        3 are older than 7 days (HEARTHLINE_RAW_DAYS): the next nightly job deletes them",
    );
    const env = { HEARTHLINE_RAW_DAYS: "36500" };
    const kept = await run(["--file", file, "--restart"], { env });
    expect(kept.out).toContain("imported   3 of 3");
    expect(kept.out).not.toContain("HEARTHLINE_RAW_DAYS");
    const { out } = await run(["--file", file, "--restart", "--json"], { env });
    expect(JSON.parse(out)).toMatchObject({ past_raw_retention: { days: 36_500, count: 0 } });
    expect((await run(["--help"])).out).toMatch(/HEARTHLINE_RAW_DAYS days[^.]*: the nightly job[^.]* deletes/);
  });

  it("ends with 2 for wrong usage, 1 for a history that is none, 3 for what does not answer", async () => {
    const ended = async (args: readonly string[], env?: Record<string, string>) => {
      const { code, err } = await run(args, env ? { env } : {});
      return `${code} ${err}`;
    };
    expect(await ended(["--file", file, "--recorder", file])).toMatch(/^2 Wanted is one of/);
    expect(await ended(["--file", file, "--from", "yesterday"])).toMatch(/^2 [\s\S]*ISO 8601/);
    expect(await ended(["--influxdb", "http://u:p@127.0.0.1:1"])).toMatch(/^2 .*without user and password/);
    expect(await ended(["--influxdb", "http://127.0.0.1:1", "--password-env", "NOT_SET"])).toMatch(/^2 .*NOT_SET/);
    expect(await ended([])).toMatch(/^2 No history was named/);
    expect(await ended(["--recorder", file])).toMatch(/^1 .*no SQLite database/);
    expect(await ended(["--file", join(folder, "none")])).toMatch(/^1 .*ENOENT/);
    expect(await ended(["--file", file, "--home", "nowhere"])).toMatch(/^1 .*does not exist/);
    expect(await ended(["--influxdb", "http://127.0.0.1:1"])).toMatch(
      /^3 InfluxDB at "http:\/\/127.0.0.1:1" cannot be reached/,
    );
    expect(await ended(["--file", file], { AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1" })).toMatch(/^3 /);
  });
});

describe("the bar", () => {
  it("shows part done, rows, rate and what is left, and draws five times a second at most", async () => {
    expect(progressLine({ rows: 12_345, fraction: 0.5 }, { elapsedMs: 2_000, firstFraction: 0 })).toBe(
      "[############------------]  50 %  12,345 rows  6,173/s  2 s left",
    );
    expect(progressLine({ rows: 0, fraction: 0.25, note: "waiting" }, { elapsedMs: 0, firstFraction: 0.25 })).toBe(
      "[######------------------]  25 %  0 rows  0/s  waiting",
    );
    expect([8_400, 200_000, 7_500_000].map(durationText)).toEqual(["8 s", "3 min 20 s", "2 h 5 min"]);
    const clock = manualClock();
    const drawn: string[] = [];
    const bar = createProgressBar((text) => drawn.push(text), clock);
    for (let n = 0; n < 100; n++) {
      bar.show({ rows: n, fraction: n / 100 });
      await clock.advance(10);
    }
    expect(drawn).toHaveLength(5);
    bar.end();
    expect(drawn.at(-1)).toBe("\r\u001b[2K");
  });
});

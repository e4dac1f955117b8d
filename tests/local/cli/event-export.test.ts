import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseLine } from "../../../lib/adapters/jsonl/parse.ts";
import { openEventFile } from "../../../lib/adapters/parquet/file-reader.ts";
import { formatIsoUs } from "../../../lib/base/time.ts";
import { compareEvents, fromWireEvent, type HomeEvent, toWireEvent } from "../../../lib/event/index.ts";
import { type ProgramOptions, runCommand } from "../../../local/cli/program.ts";
import { createTestApi, serveApi, type TestApi, tokenText } from "../../support/api.ts";
import { buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";

let folder: string;
let file: string;
let api: TestApi;
let clock: ManualClock;
let server: { readonly url: string; close(): Promise<void> };
/** What is answered instead of the API; undefined: what the API says. */
let instead: (request: Request, count: number) => Response | undefined;

const removal = buildEvent({
  kind: "removed",
  state: "",
  quality: "unavailable",
  atUs: SOME_TIME_US + 9,
  attributes: {},
});
const odd = ['say "hi", you', "two\r\nlines", "=HYPERLINK(1)", "+49 30", "-7.5", "@here", " padded ", "ü🏠,"].map(
  (state, step) => buildEvent({ entityId: "input_text.odd", state, atUs: SOME_TIME_US + 20 + step, areaId: "a,b" }),
);
const events: HomeEvent[] = [fullEvent, removal, ...odd];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-export-"));
  file = join(folder, "events.out");
  clock = manualClock();
  api = await createTestApi({ clock });
  instead = () => undefined;
  let count = 0;
  server = await serveApi({
    fetchApi: async (request) => {
      count++;
      return instead(request, count) ?? api.fetchApi(request);
    },
  });
  await api.events.write([...events, buildEvent({ homeId: "other", state: "secret" })]);
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(args: string[], options: Partial<ProgramOptions> = {}) {
  const said = { out: [] as string[], err: [] as string[] };
  const code = await runCommand(["events", ...args], {
    env: { HEARTHLINE_URL: server.url, HEARTHLINE_TOKEN: tokenText("home"), HEARTHLINE_DATA: folder },
    streams: { out: (text) => void said.out.push(text), err: (text) => void said.err.push(text), isTerminal: true },
    signal: new AbortController().signal,
    version: "0.1.0",
    run: async () => 0,
    clock,
    ...options,
  });
  return { code, out: said.out.join(""), err: said.err.join("") };
}
const save = (format: string, ...more: string[]) => run(["export", "--format", format, "--output", file, ...more]);
const text = () => readFileSync(file, "utf8");

/** RFC 4180, read as plainly as it is written. */
function parseCsv(csv: string): string[][] {
  const rows: string[][] = [];
  let [row, cell, isQuoted]: [string[], string, boolean] = [[], "", false];
  for (let at = 0; at < csv.length; at++) {
    const character = csv[at] ?? "";
    if (isQuoted && character === '"' && csv[at + 1] === '"') cell += csv[++at];
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (character === "," || character === "\r")) {
      row.push(cell);
      cell = "";
      if (character === "\r") {
        rows.push(row);
        row = [];
        at++;
      }
    } else cell += character;
  }
  expect([row, cell, isQuoted]).toEqual([[], "", false]);
  return rows;
}

describe("hearthline events export", () => {
  it("writes JSONL in the API's shape, which the importer takes back", async () => {
    const { code, out, err } = await save("jsonl");
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`${file}: 10 events`) });
    expect(err).toContain("10 rows");
    const lines = text().split("\n").slice(0, -1);
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      events.map((event) => JSON.parse(JSON.stringify(toWireEvent(event)))),
    );
    expect(lines.map((line) => fromWireEvent(JSON.parse(line)))).toEqual(events);
    for (const [at, line] of lines.entries()) {
      const event = events[at] as HomeEvent;
      expect(parseLine(Buffer.from(line), at)).toMatchObject({
        ...{ entityId: event.entityId, atUs: event.atUs, kind: event.kind, attributes: event.attributes },
        state: event.kind === "removed" ? null : event.state,
        context: { id: event.context.id },
      });
    }
  });

  it("writes CSV that comes back cell for cell, but for what a spreadsheet would run", async () => {
    expect((await save("csv")).code).toBe(0);
    const [header = [], ...rows] = parseCsv(text());
    const cells = rows.map((row) => Object.fromEntries(row.map((cell, at) => [header[at], cell])));
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([header.length]));
    expect(cells.map(({ state }) => state)).toEqual([
      ...[
        "69.8",
        "",
        'say "hi", you',
        "two\r\nlines",
        "'=HYPERLINK(1)",
        "'+49 30",
        "-7.5",
        "'@here",
        " padded ",
        "ü🏠,",
      ],
    ]);
    expect(cells[0]).toMatchObject({
      ...{ value: "21", unit: "°C", weather_wind_speed: "12.25", context_user_id: "8e3c", kind: "change" },
      ...{ last_updated: formatIsoUs(SOME_TIME_US), seconds_in_old_state: "300.000123" },
    });
    expect(JSON.parse(cells[0]?.attributes ?? "")).toEqual(fullEvent.attributes);
    expect(cells[2]).toMatchObject({ area_id: "a,b", value: "", old_state: "" });
  });

  it("writes Parquet in which every event is as it was", async () => {
    const many = manyEvents(1_500, { stepUs: 1_000 });
    await api.events.write(many);
    const { code, out } = await save("parquet");
    const bytes = readFileSync(file);
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining(`${bytes.length.toLocaleString("en")} bytes`),
    });
    const read = await openEventFile({
      name: file,
      byteLength: bytes.length,
      read: async (start, end) => bytes.subarray(start, end),
    });
    const rows = await Promise.all(read.groups.map((_, group) => read.events(group)));
    expect(rows.flat()).toEqual([...events, ...many].sort(compareEvents));
  });

  it.each(["jsonl", "csv", "parquet"])("writes a whole %s file of no events too", async (format) => {
    expect((await save(format, "--entity", "light.none")).code).toBe(0);
    if (format === "jsonl") expect(text()).toBe("");
    if (format === "csv") expect(parseCsv(text())).toHaveLength(1);
    if (format === "parquet") expect(text().slice(0, 4)).toBe("PAR1");
    expect(readdirSync(folder)).toEqual(["events.out"]);
  });

  it("takes the span, the entities and the area, and goes through all pages up to now", async () => {
    await api.events.write([
      ...manyEvents(2_500, { stepUs: 1_000 }),
      buildEvent({ atUs: clock.nowMs() * 1000, state: "to come" }),
    ]);
    const count = async (...more: string[]) =>
      JSON.parse((await save("jsonl", "--force", "--json", ...more)).out).events;
    expect(await count()).toBe(2_510);
    expect(await count("--entity", "input_text.odd,light.none")).toBe(8);
    expect(await count("--area", "a,b")).toBe(8);
    const [from, to] = [SOME_TIME_US + 20, SOME_TIME_US + 22].map(formatIsoUs) as [string, string];
    expect(await count("--from", from, "--to", to)).toBe(2);
  });

  it("replaces a file only with --force, and not before the new one is whole", async () => {
    writeFileSync(file, "mine");
    expect(await save("jsonl")).toMatchObject({ code: 2, err: expect.stringContaining("--force") });
    expect(text()).toBe("mine");
    await api.events.write(manyEvents(1_500, { stepUs: 1_000 }));
    instead = (_, count) =>
      count === 2 ? Response.json({ code: "request_invalid", detail: "no" }, { status: 400 }) : undefined;
    expect(await save("jsonl", "--force")).toMatchObject({ code: 2 });
    expect([text(), readdirSync(folder)]).toEqual(["mine", ["events.out"]]);
    instead = () => undefined;
    expect(await save("jsonl", "--force")).toMatchObject({ code: 0 });
    expect(text().split("\n")).toHaveLength(1_511);
  });

  it("leaves nothing when it is stopped, and when the file cannot be made", async () => {
    const stop = new AbortController();
    await api.events.write(manyEvents(1_500, { stepUs: 1_000 }));
    instead = () => {
      stop.abort();
      return undefined;
    };
    const stopped = await run(["export", "--output", file], { signal: stop.signal });
    expect(stopped).toMatchObject({ code: 1, err: expect.stringContaining("Stopped") });
    expect(readdirSync(folder)).toEqual([]);
    const nowhere = await run(["export", "--output", join(folder, "no", "such", "folder")]);
    expect(nowhere).toMatchObject({ code: 1, err: expect.stringContaining("cannot be written") });
    expect(await run(["export", "--output", file, "--from", "yesterday"])).toMatchObject({ code: 2 });
    expect(await run(["export", "--output", file, "--format", "xlsx"])).toMatchObject({ code: 2 });
  });

  it("waits when the API is busy, and asks again when it does not answer in between", async () => {
    await api.events.write(manyEvents(2_500, { stepUs: 1_000 }));
    const busy = () => Response.json({ code: "rate_limited" }, { status: 429, headers: { "retry-after": "30" } });
    const away = () => Response.json({ code: "service_unavailable" }, { status: 503 });
    const answers = [busy, undefined, away, busy];
    instead = (_, count) => answers[count - 1]?.();
    const saving = save("jsonl");
    let isDone = false;
    saving.finally(() => {
      isDone = true;
    });
    let waitedMs = 0;
    while (!isDone) {
      await new Promise((done) => setImmediate(done));
      if (clock.sleeping() === 0) continue;
      await clock.advance(1_000);
      waitedMs += 1_000;
    }
    expect(await saving).toMatchObject({ code: 0 });
    expect(text().split("\n")).toHaveLength(2_511);
    expect(waitedMs).toBeGreaterThanOrEqual(60_000);
  });

  it("says at once that nobody answers", async () => {
    await server.close();
    expect(await save("jsonl")).toMatchObject({ code: 3, err: expect.stringContaining("could not be reached") });
    server = { url: "", close: async () => {} };
  });
});

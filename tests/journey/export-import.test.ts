import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIsoUs } from "../../lib/base/time.ts";
import { importHistory } from "../../lib/wiring/history.ts";
import { runCommand } from "../../local/cli/program.ts";
import { serveApi } from "../support/api.ts";
import { second } from "../support/imports.ts";
import { type Pipeline, startPipeline, type WireEvent } from "../support/pipeline.ts";
import { removedRecord, sealed, stateRecord } from "../support/records.ts";
import type { Journey } from "./records.ts";

/** Each entity's records in order, each with the old state that Home Assistant would have told. */
function history() {
  const old = (state: string, atUs: number) => ({
    state,
    last_changed: formatIsoUs(atUs),
    last_updated: formatIsoUs(atUs),
  });
  const sensor = { unit_of_measurement: "°F", device_class: "temperature", friendly_name: 'Außen "1"\n🏠' };
  return [
    stateRecord({ entity_id: "light.a", state: "off", kind: "restore", atUs: second(1) + 7, old: undefined }),
    stateRecord({
      entity_id: "sensor.b",
      state: "69.8",
      attributes: sensor,
      kind: "snapshot",
      atUs: second(2),
      old: undefined,
    }),
    stateRecord({ entity_id: "light.a", state: "on", atUs: second(3) + 1, old: old("off", second(1) + 7) }),
    stateRecord({
      entity_id: "light.a",
      state: "on",
      kind: "attributes",
      atUs: second(4),
      attributes: { brightness: 9, deep: { list: [1, "two", null, { a: true }] } },
      last_changed: formatIsoUs(second(3) + 1),
      old: old("on", second(3) + 1),
    }),
    stateRecord({
      entity_id: "sensor.b",
      state: "70",
      attributes: sensor,
      atUs: second(5),
      old: old("69.8", second(2)),
    }),
    stateRecord({
      entity_id: "sensor.b",
      state: "unavailable",
      atUs: second(6),
      attributes: {},
      old: old("70", second(5)),
    }),
    stateRecord({
      entity_id: "sensor.b",
      state: "71.25",
      attributes: sensor,
      atUs: second(7) + 999_999,
      origin: "REMOTE",
      context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R", parent_id: "01KAMC7H5JPQ3V2Z9X8W7T6S5Q", user_id: "8e3c" },
      old: old("unavailable", second(6)),
    }),
    stateRecord({ entity_id: "input_text.c", state: '=1+1,"x"\r\n ü', atUs: second(8), old: old("", second(8) - 1) }),
    removedRecord({ entity_id: "light.a", atUs: second(9) }),
    ...Array.from({ length: 2_500 }, (_, n) =>
      stateRecord({
        entity_id: `sensor.many_${n % 7}`,
        state: String(n / 4),
        atUs: second(10) + n * 1_000_003,
        ...(n < 7
          ? { kind: "restore" as const, old: undefined }
          : { old: old(String((n - 7) / 4), second(10) + (n - 7) * 1_000_003) }),
      }),
    ),
  ];
}

const folder = mkdtempSync(join(tmpdir(), "hearthline-export-journey-"));
const file = join(folder, "events.jsonl");
let pipeline: Pipeline;
let server: Awaited<ReturnType<typeof serveApi>>;
let home: Journey;
let copy: Journey;
beforeAll(async () => {
  pipeline = await startPipeline();
  server = await serveApi({
    fetchApi: async (request) => {
      const { pathname, search } = new URL(request.url);
      const token = request.headers.get("authorization")?.replace("Bearer ", "");
      const { status, json } = await pipeline.ask(token, pathname + search);
      return Response.json(json, { status });
    },
  });
  home = await pipeline.addHome("home");
  copy = await pipeline.addHome("copy");
  await pipeline.send("events", sealed(history(), home));
  await pipeline.drain();
});
afterAll(async () => {
  await server?.close();
  await pipeline?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]) {
  const said = { out: "", err: "" };
  const code = await runCommand(args, {
    env: { HEARTHLINE_URL: server.url, HEARTHLINE_TOKEN: home.token, HEARTHLINE_DATA: folder },
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

/** But for what an import says of itself, and whose it is; and what was before an event is known only of what the file holds, a removal's too. */
function own({ home_id: _, source: __, ...event }: WireEvent) {
  if (event.kind !== "removed" && event.entity_id !== "input_text.c") return event;
  const { old_state: ___, seconds_in_old_state: ____, ...rest } = event;
  return rest;
}

describe("events exported as JSONL", () => {
  it("are the same events in another home after `history import --file`, but for their source", async () => {
    expect(await run("events", "export", "--output", file)).toMatchObject({ code: 0, err: "" });
    const imported = await importHistory(
      { ...pipeline.env, HEARTHLINE_DATA: join(folder, "copy") },
      { homeId: "copy", origin: { kind: "jsonl", path: file }, signal: new AbortController().signal },
    );
    expect(imported).toMatchObject({ imported: 2_509, isFinished: true, rejected: { count: 0 } });
    await pipeline.drain();
    const [was, is] = [await pipeline.events(home.token), await pipeline.events(copy.token)];
    expect(new Set(is.map(({ home_id, source }) => `${home_id} ${source}`))).toEqual(new Set(["copy import"]));
    expect(is.map(own)).toEqual(was.map(own));
  });
});

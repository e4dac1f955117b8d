import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttpSink } from "../../../lib/adapters/legacy/http-sink.ts";
import { createInfluxSink } from "../../../lib/adapters/legacy/influx-sink.ts";
import { post } from "../../../lib/adapters/legacy/post.ts";
import type { NewRelayRecord } from "../../../lib/event/index.ts";
import type { Packer, SinkMessage } from "../../../lib/relay/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { stateRecord } from "../../support/relay-records.ts";

interface Answer {
  readonly status: number;
  readonly body?: string | object;
  readonly headers?: Record<string, string>;
}

/** A server on loopback that answers in turn, the last answer for ever. */
async function server(...answers: readonly Answer[]) {
  const requests: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
  const http = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const {
      status,
      body: said = "",
      headers,
    } = answers[Math.min(requests.length, answers.length - 1)] ?? { status: 500 };
    requests.push({ url: request.url ?? "", headers: request.headers, body });
    response.writeHead(status, headers).end(typeof said === "string" ? said : JSON.stringify(said));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, requests };
}

const clock = manualClock();
const shared = { name: "old", flushMs: 1_000, clock };

function packed(packer: Packer, records: readonly NewRelayRecord[]): SinkMessage {
  const result = packer.pack(
    records.map((record, at) => ({ n: at + 1, appendedAtMs: at, line: JSON.stringify({ n: at + 1, ...record }) })),
  );
  if (!result.fits) throw new Error("does not fit");
  expect(result.count).toBe(records.length);
  return result.message;
}

const change = (name: string, over: object = {}) => ({ ...stateRecord(name), ...over }) as NewRelayRecord;
const removed: NewRelayRecord = {
  t: "removed",
  source: "live",
  entity_id: "light.gone",
  time_fired: "2026-01-15T12:00:01.000001+00:00",
  context: { id: "c" },
};
const status = { t: "home", revision: 1, location_name: "h", time_zone: "UTC", version: "1" } as NewRelayRecord;

describe("the packer of an old pipeline", () => {
  it("takes what happened: no snapshot, nothing imported, no record that is no event", async () => {
    const { packer } = createHttpSink({ ...shared, url: "http://127.0.0.1:1" });
    const message = packed(packer, [
      status,
      change("a"),
      change("b", { kind: "snapshot" }),
      change("c", { source: "import" }),
      change("d", { source: "backfill", kind: "restore" }),
      removed,
      status,
    ]);
    expect(message).toMatchObject({ first: 1, last: 7, fromMs: 0, toMs: 6, lost: [] });
    expect(message.pieces.map(({ first }) => first)).toEqual([2, 5, 6]);
  });

  it("sets aside what its form has no room for, and names no entity", () => {
    const { packer } = createInfluxSink({ ...shared, url: "http://127.0.0.1:1", database: "d" });
    const malformed = change("c", { attributes: undefined });
    const message = packed(packer, [change("a", { last_updated: "soon" }), change("b"), malformed]);
    expect(message.pieces.map(({ first }) => first)).toEqual([2]);
    expect(message.lost).toMatchObject([
      { first: 1, last: 1, count: 1, reason: expect.stringContaining('"soon"') },
      { first: 3, last: 3, count: 1, reason: "the event cannot be written: it is malformed" },
    ]);
    expect(JSON.stringify(message.lost)).not.toContain("sensor.");
  });
});

it.each(["{", "null", "7"])(
  "the packer of an old pipeline gives up a record that is %s, and packs its neighbours",
  (line) => {
    const { packer } = createHttpSink({ ...shared, url: "http://127.0.0.1:1" });
    const good = { n: 2, appendedAtMs: 0, line: JSON.stringify({ n: 2, ...change("a") }) };
    const packed = packer.pack([{ n: 1, appendedAtMs: 0, line }, good]);
    expect(packed).toMatchObject({ fits: true, count: 2, message: { pieces: [{ first: 2 }] } });
  },
);

describe("an old pipeline over HTTP", () => {
  it("gets Home Assistant's own events as one array, with a bearer token", async () => {
    const { url, requests } = await server({ status: 202 });
    const sink = createHttpSink({ ...shared, url: `${url}/events`, token: "secret-token" });
    const old = { state: "0", last_changed: "2026-01-15T11:00:00+00:00", last_updated: "2026-01-15T11:00:00+00:00" };
    const answers = await sink.send([packed(sink.packer, [change("a", { old }), change("b"), removed])]);
    expect(answers).toEqual([{ outcome: "taken", lost: [] }]);
    expect(requests[0]).toMatchObject({ url: "/events", headers: { authorization: "Bearer secret-token" } });
    const [first, second, third] = JSON.parse(requests[0]?.body ?? "") as Record<string, Record<string, unknown>>[];
    expect(first).toMatchObject({
      event_type: "state_changed",
      data: { entity_id: "sensor.a", old_state: { state: "0" }, new_state: { state: "1", entity_id: "sensor.a" } },
      time_fired: "2026-01-15T12:00:00.000001+00:00",
    });
    expect(second?.data?.old_state).toBeNull();
    expect(third).toMatchObject({ data: { entity_id: "light.gone", new_state: null }, time_fired: removed.time_fired });
  });

  it.each([202, 207])("%d with rejected: those are lost, one loss for each reason", async (code) => {
    const rejected = [{ index: 0, code: "x", detail: "sensor.a" }, { index: 2, code: "x" }, { index: 9 }];
    const { url } = await server({ status: code, body: { accepted: 1, rejected } });
    const sink = createHttpSink({ ...shared, url });
    const answers = await sink.send([packed(sink.packer, [change("a"), change("b"), change("c")])]);
    const reason = "the old pipeline rejected it (x)";
    expect(answers).toEqual([{ outcome: "taken", lost: [{ first: 1, last: 3, count: 2, reason }] }]);
  });

  it.each([
    [{ status: 400 }, { outcome: "refused", isCertain: false }],
    [{ status: 413 }, { outcome: "refused", isCertain: false }],
    [{ status: 422 }, { outcome: "refused", isCertain: false }],
    [
      { status: 429, headers: { "retry-after": "120" } },
      { error: { code: "service_throttled" }, retryAfterMs: 120_000 },
    ],
    [
      { status: 503, headers: { "retry-after": new Date(clock.nowMs() + 30_000).toUTCString() } },
      { error: { code: "service_failed" }, retryAfterMs: 30_000 },
    ],
    [
      { status: 401, body: "who?" },
      { outcome: "failed", error: { code: "service_refused" } },
    ],
    [{ status: 404 }, { outcome: "failed", error: { code: "service_failed" } }],
    [
      { status: 500, body: "x".repeat(3_000_000) },
      { outcome: "failed", error: { code: "service_failed" } },
    ],
    [{ status: 302, headers: { location: "http://127.0.0.1:1/" } }, { outcome: "failed" }],
  ])("%o", async (answer, wanted) => {
    const { url, requests } = await server(answer);
    const sink = createHttpSink({ ...shared, url, token: "secret-token" });
    const [given] = await sink.send([packed(sink.packer, [change("a")])]);
    expect(given).toMatchObject(wanted);
    expect(requests).toHaveLength(1);
    if (given?.outcome === "failed") expect(String(given.error)).not.toContain("secret-token");
  });

  it("a web page has taken nothing, though its status is 200", async () => {
    const page = { status: 200, body: "<h1>Sign in</h1>", headers: { "content-type": "text/html; charset=utf-8" } };
    const { url } = await server(page);
    const http = createHttpSink({ ...shared, url });
    const influx = createInfluxSink({ ...shared, url, database: "home" });
    for (const sink of [http, influx])
      expect(await sink.send([packed(sink.packer, [change("a")])])).toMatchObject([
        { outcome: "failed", error: { code: "service_failed", message: expect.stringContaining("web page") } },
      ]);
  });

  it("nobody there is an error of its own", async () => {
    const sink = createHttpSink({ ...shared, url: "http://127.0.0.1:1/events?key=secret" });
    const thrown = await sink.send([packed(sink.packer, [change("a")])]).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "service_unreachable" });
    expect(String(thrown)).not.toContain("secret");
  });
});

describe("an answer that does not come to its end", () => {
  const posted = async (how: (response: ServerResponse) => void, timeoutMs = 30_000) => {
    const http = createServer((_, response) => how(response));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      http.closeAllConnections();
      http.close();
    });
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    return post({ url, headers: {}, body: "[]", timeoutMs });
  };

  it.each<[string, number | undefined, (response: ServerResponse) => void]>([
    ["goes on for ever", 2_000, (response) => void response.writeHead(200).write("{")],
    [
      "breaks off",
      undefined,
      (response) => {
        response.writeHead(200, { "content-length": 9 }).write("{");
        setTimeout(() => response.destroy(), 50);
      },
    ],
  ])("%s: its status counts", async (_what, timeoutMs, how) => {
    expect(await posted(how, timeoutMs)).toMatchObject({ status: 200, text: "{" });
  });

  it("has no status: nothing is known", async () => {
    await expect(posted(() => {}, 300)).rejects.toMatchObject({ code: "service_timeout" });
    await expect(posted((response) => response.destroy())).rejects.toMatchObject({ code: "service_unreachable" });
  });
});

describe("an old pipeline that is an InfluxDB", () => {
  const influx = (url: string, over = {}) => createInfluxSink({ ...shared, url, database: "home", ...over });

  it("gets lines at /write of its database, by user and password", async () => {
    const { url, requests } = await server({ status: 204 });
    const sink = influx(`${url}/influx`, { user: "me", password: "pass" });
    await sink.send([packed(sink.packer, [change("a"), change("b"), removed])]);
    expect(requests[0]).toMatchObject({
      url: "/influx/write?db=home&precision=ns",
      headers: { authorization: `Basic ${Buffer.from("me:pass").toString("base64")}` },
    });
    expect(requests[0]?.body.trim().split("\n")).toHaveLength(2);
    await influx(url, { token: "t" }).send([packed(sink.packer, [change("a")])]);
    expect(requests[1]?.headers.authorization).toBe("Token t");
  });

  it("keeps the path of its address, and what else is asked for there", async () => {
    const { url, requests } = await server({ status: 204 });
    const sink = influx(`${url}/influx/?rp=one_week&db=other`);
    await sink.send([packed(sink.packer, [change("a")])]);
    expect(requests[0]?.url).toBe("/influx/write?rp=one_week&db=home&precision=ns");
  });

  it("200 with a text has written nothing", async () => {
    const { url } = await server({ status: 200, body: { results: [] } }, { status: 200 });
    const sink = influx(url);
    expect(await sink.send([packed(sink.packer, [change("a")])])).toMatchObject([{ outcome: "failed" }]);
    expect(await sink.send([packed(sink.packer, [change("a")])])).toMatchObject([{ outcome: "taken" }]);
  });

  it("a unit that makes the line a comment is set aside; a line end in a name stays within the point", async () => {
    const { packer } = influx("http://127.0.0.1:1");
    const message = packed(packer, [
      change("a", { attributes: { unit_of_measurement: "# people" } }),
      change("b", { attributes: { "two\nlines": "x", "one\nnumber": 1 } }),
    ]);
    expect(message.lost).toMatchObject([{ first: 1, last: 1, reason: expect.stringContaining("comment") }]);
    expect(message.pieces.map(({ text }) => text)).toEqual([
      expect.stringContaining('one\\nnumber=1,two\\nlines_str="x"'),
    ]);
    expect(message.pieces[0]?.text).not.toContain("\n");
  });

  it("a field conflict: the lines that are meant are set aside, the rest is sent again until it is clean", async () => {
    const error =
      'partial write: field type conflict: input field "x" on measurement "W" is type string, already exists as type float dropped=1';
    const { url, requests } = await server({ status: 400, body: { error } }, { status: 204 });
    const sink = influx(url);
    const unit = { unit_of_measurement: "W" };
    const answers = await sink.send([
      packed(sink.packer, [
        change("a", { attributes: { ...unit, x: 1 } }),
        change("b", { attributes: { ...unit, x_str: "," } }),
        change("c", { attributes: { ...unit, y: 'x="z"' } }),
      ]),
    ]);
    // No attribute becomes a text field "x": nothing can be found, so the shipper divides.
    expect(answers).toMatchObject([{ outcome: "refused", isCertain: true }]);
    expect(JSON.stringify(answers)).not.toContain('"x');
    expect(requests).toHaveLength(1);
  });

  it("finds the lines of a conflict", async () => {
    const error =
      'partial write: field type conflict: input field "state" on measurement "W" is type string, already exists as type float dropped=1';
    const { url, requests } = await server({ status: 400, body: { error } }, { status: 204 });
    const sink = influx(url);
    const attributes = { unit_of_measurement: "W" };
    const answers = await sink.send([
      packed(sink.packer, [change("a", { attributes }), change("b", { attributes, state: "text" }), change("c")]),
    ]);
    const reason = "InfluxDB refuses the point (field type conflict)";
    expect(answers).toEqual([{ outcome: "taken", lost: [{ first: 2, last: 2, count: 1, reason }] }]);
    expect(requests[1]?.body).not.toContain("text");
    expect(requests[1]?.body.trim().split("\n")).toHaveLength(2);
  });

  it("lines that are quoted as unreadable", async () => {
    const records = [change("a"), change("b")];
    const { packer } = influx("http://127.0.0.1:1");
    const line = packed(packer, records).pieces[1]?.text;
    const error = `partial write: unable to parse '${line}': invalid number dropped=0`;
    const { url } = await server({ status: 400, body: { error } }, { status: 204 });
    const reason = "InfluxDB refuses the point (invalid number)";
    expect(await influx(url).send([packed(packer, records)])).toEqual([
      { outcome: "taken", lost: [{ first: 2, last: 2, count: 1, reason }] },
    ]);
  });

  it("points older than it keeps are lost, the others stored", async () => {
    const error = "partial write: points beyond retention policy dropped=1";
    const { url } = await server({ status: 400, body: { error } });
    const sink = influx(url);
    expect(await sink.send([packed(sink.packer, [change("a"), change("b")])])).toMatchObject([
      { outcome: "taken", lost: [{ first: 1, last: 2, count: 1 }] },
    ]);
  });

  it.each([
    [{ status: 404, body: { error: 'database not found: "home"' } }, { outcome: "failed" }],
    [
      { status: 401, body: { error: "authorization failed" } },
      { outcome: "failed", error: { code: "service_refused" } },
    ],
    [{ status: 503, body: "" }, { outcome: "failed" }],
    [
      { status: 400, body: "what?" },
      { outcome: "refused", isCertain: false },
    ],
  ])("%o", async (answer, wanted) => {
    const { url } = await server(answer);
    const sink = influx(url);
    expect(await sink.send([packed(sink.packer, [change("a")])])).toMatchObject([wanted]);
  });
});

import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createInfluxdbEventStore } from "../../../lib/adapters/influxdb/event-store.ts";
import { isHearthlineError } from "../../../lib/base/errors.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { type EventsRefused, type HomeEvent, isEventsRefused } from "../../../lib/event/index.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";

interface Asked {
  readonly path: string;
  readonly url: string;
  readonly method: string;
  readonly text: string;
  readonly authorization: string | undefined;
}
type Answers = (asked: Asked, attempt: number) => Response | Promise<Response>;

const PING = () => new Response(null, { status: 204, headers: { "x-influxdb-version": "1.8.10" } });
const DONE = () => new Response(null, { status: 204 });
const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
const page = (status: number) =>
  new Response("<html>Sign in</html>", { status, headers: { "content-type": "text/html" } });

/** A server of answers, and what it was asked. */
function serve(answers: Answers, more: { url?: string; token?: string; user?: string; password?: string } = {}) {
  const asked: Asked[] = [];
  const sleeps: number[] = [];
  const attempts = new Map<string, number>();
  const store: EventStore = createInfluxdbEventStore({
    ...{ url: "http://influxdb.test:8086", database: "homes", ...more },
    random: seededRandom(7),
    clock: {
      nowMs: () => 0,
      monotonicMs: () => 0,
      sleep: async (ms) => {
        sleeps.push(ms);
      },
    },
    fetch: async (input, init) => {
      const url = new URL(String(input));
      const { body, method = "GET", headers } = init ?? {};
      const text = body instanceof Uint8Array ? gunzipSync(body).toString() : String(body ?? "");
      const { authorization } = headers as Record<string, string | undefined>;
      const one = { path: url.pathname, url: String(input), method, text, authorization };
      asked.push(one);
      if (one.path === "/ping") return PING();
      const attempt = (attempts.get(one.path) ?? 0) + 1;
      attempts.set(one.path, attempt);
      return answers(one, attempt);
    },
  });
  return { store, asked, sleeps, writes: () => asked.filter(({ path }) => path === "/write") };
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable("it did not fail"),
    (thrown: unknown) => thrown,
  );

async function codeOf(work: Promise<unknown>): Promise<string> {
  const thrown = await failureOf(work);
  return isHearthlineError(thrown) ? thrown.code : String(thrown);
}

async function refusedOf(work: Promise<unknown>): Promise<EventsRefused> {
  const thrown = await failureOf(work);
  if (!isEventsRefused(thrown)) throw thrown;
  return thrown;
}

const events = manyEvents(4);
const statesOf = ({ text }: Asked) => text.trimEnd().split("\n").length;

describe("an InfluxDB that answers otherwise than it should", () => {
  it("is asked again when it is throttled, away or broken, and waits as long as it asks for, up to a bound", async () => {
    for (const [status, headers, waits] of [
      [429, { "retry-after": "3" }, [3_000]],
      [503, { "retry-after": "86400" }, [30_000]],
      [503, {}, []],
      [500, {}, []],
      [502, { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }, []],
    ] as const) {
      const { store, writes, sleeps } = serve((_, attempt) =>
        attempt < 2 ? json(status, { error: "x" }, headers) : DONE(),
      );
      await store.write(events);
      expect(writes()).toHaveLength(2);
      expect(writes()[1]?.text).toBe(writes()[0]?.text);
      expect(sleeps.slice(0, -1)).toEqual(waits);
      expect(sleeps.at(-1)).toBeLessThanOrEqual(200);
    }
  });

  it("fails after four attempts, with what it means", async () => {
    const cases: readonly (readonly [Answers, string, number])[] = [
      [() => json(429, { error: "too many" }), "service_throttled", 4],
      [() => json(503, { error: "not now" }), "store_unavailable", 4],
      [() => json(500, { error: "timeout" }), "service_failed", 4],
      [() => json(500, { error: "write /var/lib/influxdb/wal/7: no space left on device" }), "store_full", 4],
      [() => page(200), "service_failed", 4],
      [() => page(502), "service_failed", 4],
      [
        () => Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") })),
        "service_unreachable",
        4,
      ],
      [
        () => new Response(new ReadableStream({ pull: (body) => body.error(new Error("cut")) }), { status: 500 }),
        "service_unreachable",
        4,
      ],
      [() => json(401, { error: "authorization failed" }), "service_refused", 1],
      [
        () => json(403, { error: '"reader" user is not authorized to write to database "homes"' }),
        "store_read_only",
        1,
      ],
      [() => json(404, { error: 'database not found: "homes"' }), "store_incompatible", 1],
      [() => json(500, { error: "retention policy not found: hearthline" }), "store_incompatible", 1],
      [
        () => new Response(null, { status: 301, headers: { location: "https://elsewhere.test" } }),
        "store_incompatible",
        1,
      ],
      [
        () => json(400, { error: "partial write: max-values-per-tag limit exceeded (100000/100000): dropped=1" }),
        "store_full",
        1,
      ],
      [
        () =>
          json(400, {
            error:
              'partial write: field type conflict: input field "flags" on measurement "hearthline_events" is type integer, already exists as type float dropped=4',
          }),
        "store_incompatible",
        1,
      ],
    ];
    for (const [answers, code, attempts] of cases) {
      const { store, writes } = serve(answers);
      expect(await codeOf(store.write(events))).toBe(code);
      expect(writes()).toHaveLength(attempts);
    }
  });

  it("never takes 200 with a text for an acknowledgement", async () => {
    const { store } = serve(() => json(200, { ok: true }));
    expect(await codeOf(store.write(events))).toBe("service_failed");
  });

  it("finds out which events it has dropped, where it only counts them, and tells of these alone (1.x, 2.x)", async () => {
    const says = [
      (count: number) => json(400, { error: `partial write: points beyond retention policy dropped=${count}` }),
      (count: number) =>
        json(422, {
          code: "unprocessable entity",
          message: `failure writing points to database: partial write: dropped ${count} points outside retention policy of duration 24h0m0s - oldest point a dropped=${count} for database: 1f`,
        }),
    ];
    const many = manyEvents(1_000);
    // Not the oldest: those are in a shard that is still there.
    const wanted = many.slice(20, 50);
    const dropped = new Set(wanted.map(({ atUs }) => `${atUs}000`));
    for (const say of says) {
      const { store, writes } = serve(({ text }) => {
        const count = text
          .trimEnd()
          .split("\n")
          .filter((line) => dropped.has(line.split(" ").at(-1) ?? "")).length;
        return count > 0 ? say(count) : DONE();
      });
      const { refused } = await refusedOf(store.write([...many].reverse()));
      expect(refused.map(({ event }) => event)).toEqual(wanted);
      expect(refused.every(({ code }) => code === "event_time_out_of_range")).toBe(true);
      expect(writes().length).toBeLessThan(50);
    }
  });

  it("tells of the lines alone that it names (3.x)", async () => {
    const data = [{ original_line: "x", line_number: 3, error_message: "invalid column type" }];
    const { store } = serve(() => json(400, { error: "partial write of line protocol occurred", data }));
    const { refused } = await refusedOf(store.write(events));
    expect(refused.map(({ event, code }) => [event, code])).toEqual([[events[2], "event_malformed"]]);
  });

  it("is no InfluxDB 3 where it only speaks of line numbers", async () => {
    for (const body of [
      '"line_number" is no JSON',
      '{"data":[null,{"line_number":99}],"error":"x"}',
      '{"data":"line_number"}',
    ]) {
      const { store } = serve(() => new Response(body, { status: 400 }));
      expect(await failureOf(store.write(events))).toMatchObject({ code: "service_failed" });
    }
  });

  it("that sends elsewhere is not followed, whatever the redirect", async () => {
    for (const status of [301, 302, 307, 308]) {
      const headers = {
        location: "http://elsewhere.test/",
        "content-type": status === 302 ? "text/html" : "text/plain",
      };
      const { store, asked } = serve(() => new Response("moved", { status, headers }));
      expect(await failureOf(store.write(events))).toMatchObject({ code: "store_incompatible", fate: "stop" });
      expect(asked.every(({ url }) => url.startsWith("http://influxdb.test:8086/"))).toBe(true);
    }
  });

  it("gets halves of a batch that is too large for it, and a single event that is too large is told of alone", async () => {
    const huge = buildEvent({ entityId: "light.huge", attributes: { text: "x".repeat(90_000) } });
    const { store, writes } = serve(({ text }) => (text.length > 50_000 ? json(413, { error: "too large" }) : DONE()));
    const { refused } = await refusedOf(store.write([...events, huge]));
    expect(refused.map(({ event, code }) => [event, code])).toEqual([[huge, "event_too_large"]]);
    const taken = writes().filter(({ text }) => text.length <= 50_000);
    expect(taken.reduce((sum, each) => sum + statesOf(each), 0)).toBe(4);
  });

  it("is not given what no line can hold, and the rest is written", async () => {
    const { store, writes } = serve(DONE);
    const wrong: HomeEvent[] = [
      buildEvent({ atUs: SOME_TIME_US + 0.5 }),
      buildEvent({ atUs: 2 ** 60 }),
      buildEvent({ value: Number.POSITIVE_INFINITY }),
    ];
    const { refused } = await refusedOf(store.write([...wrong, ...events]));
    expect(refused.map(({ event }) => event)).toEqual(wrong);
    expect(writes().map(statesOf)).toEqual([4]);
  });

  it("gets at most 5,000 lines and 4 MiB at once, packed", async () => {
    const { store, writes } = serve(DONE);
    await store.write(manyEvents(12_000));
    expect(writes().map(statesOf)).toEqual([5_000, 5_000, 2_000]);
    const wide = Array.from({ length: 6 }, (_, step) =>
      buildEvent({ atUs: SOME_TIME_US + step, attributes: { text: "x".repeat(1_500_000) } }),
    );
    const second = serve(DONE);
    await second.store.write(wide);
    expect(second.writes().map(statesOf)).toEqual([2, 2, 2]);
  });
});

describe("questions that go wrong", () => {
  const query = { homeId: "home", order: "asc", limit: 10 } as const;

  it("fail with what is meant", async () => {
    const said = (error: string) => () => json(200, { results: [{ statement_id: 0, error }] });
    for (const [answers, code] of [
      [said("database not found: homes"), "store_incompatible"],
      [said("retention policy not found: hearthline"), "store_incompatible"],
      [said('error authorizing query: reader not authorized to execute statement "SELECT"'), "service_refused"],
      [said("max-select-point limit exceeed: (1000/10)"), "store_incompatible"],
      [said("This feature is not implemented: DELETE"), "store_incompatible"],
      [said("Query would exceed file limit of 432 parquet files"), "store_incompatible"],
      [said("shard 7 is being compacted"), "service_failed"],
      [
        () => json(200, { results: [{ series: [{ columns: ["time"], values: [[1]], partial: true }] }] }),
        "store_incompatible",
      ],
      [() => new Response('{"results":[{"series":[{"col', { status: 200 }), "service_failed"],
      [() => json(401, { error: "unable to parse authentication credentials" }), "service_refused"],
      [() => page(200), "service_failed"],
    ] as const)
      expect(await codeOf(serve(answers).store.range(query))).toBe(code);
  });

  it("say when a point is not ours", async () => {
    const columns = ["time", "entity_id", "rank", "flags", "state", "value", "area", "device", "domain", "more"];
    const values = [[SOME_TIME_US, "light.a", "4", 1, "on", null, "", "", "light", "{}"]];
    const { store } = serve(() => json(200, { results: [{ series: [{ columns, values }] }] }));
    expect(await codeOf(store.range(query))).toBe("store_damaged");
  });

  it("ask for less when an answer is too long", async () => {
    const limits: number[] = [];
    const { store } = serve(({ text }) => {
      const limit = Number(/LIMIT (\d+)/.exec(new URLSearchParams(text).get("q") ?? "")?.[1]);
      limits.push(limit);
      if (limit < 300) return json(200, { results: [{}] });
      let sent = 0;
      const chunk = new Uint8Array(4_194_304).fill(32);
      return new Response(new ReadableStream({ pull: (body) => (sent++ < 20 ? body.enqueue(chunk) : body.close()) }), {
        status: 200,
      });
    });
    expect(await store.range({ ...query, limit: 1_000 })).toEqual({ events: [] });
    expect(limits).toEqual([1_064, 266]);
  });
});

describe("which InfluxDB it is", () => {
  const asks = async (answers: Record<string, () => Response>) => {
    const store = createInfluxdbEventStore({
      ...{ url: "http://influxdb.test:8086", database: "homes", random: seededRandom(1), attempts: 1 },
      clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => {} },
      fetch: async (input) => answers[new URL(String(input)).pathname]?.() ?? json(404, {}),
    });
    return failureOf(store.check());
  };
  const version = (text: string) => () => new Response(null, { status: 204, headers: { "x-influxdb-version": text } });

  it("is said by the wanted version", async () => {
    for (const ping of [version("0.13.0"), version("1.5.2"), version("4.0.0"), () => page(200)]) {
      const thrown = await asks({ "/ping": ping });
      expect(thrown).toMatchObject({ code: ping().status === 200 ? "service_failed" : "store_incompatible" });
    }
    expect(await asks({ "/ping": () => json(200, { pong: 1 }) })).toMatchObject({ code: "store_incompatible" });
    expect(await asks({ "/ping": () => json(401, {}) })).toMatchObject({ code: "service_refused" });
    expect(
      await asks({
        "/ping": version("1.6.7~rc0"),
        "/query": () => json(200, { results: [{ error: "database not found: homes" }] }),
      }),
    ).toMatchObject({
      code: "store_incompatible",
      message: expect.stringContaining("set-up"),
    });
  });

  it("is set up for nothing that only says it is one", async () => {
    const store = createInfluxdbEventStore({
      ...{ url: "http://influxdb.test:8086", database: "homes", random: seededRandom(1) },
      clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => {} },
      // As VictoriaMetrics answers.
      fetch: async (input) => (String(input).endsWith("/ping") ? version("1.8.0")() : json(200, { results: [{}] })),
    });
    expect(await codeOf(store.setUp({ rawDays: 7 }))).toBe("store_incompatible");
  });
});

describe("secrets", () => {
  it("travel in the header only, also those of the address", async () => {
    const secrets = ["s3cret", "t0ken", "k3y"];
    for (const [more, authorization] of [
      [{ user: "me", password: "s3cret" }, `Basic ${btoa("me:s3cret")}`],
      [{ token: "t0ken" }, "Token t0ken"],
      [{ url: "http://me:k3y@influxdb.test:8086/base/" }, `Basic ${btoa("me:k3y")}`],
      [{ url: "http://me:k3y%25%40@influxdb.test:8086" }, `Basic ${btoa("me:k3y%@")}`],
      // A sign that nobody escaped.
      [{ url: "http://me:50%k3y@influxdb.test:8086" }, `Basic ${btoa("me:50%k3y")}`],
    ] as const) {
      for (const answers of [
        () => json(401, { error: "no" }),
        () => Promise.reject(new TypeError("fetch failed")),
        () => page(500),
      ]) {
        const { store, asked } = serve(answers, more);
        const thrown = (await failureOf(store.write(events))) as Error;
        expect(asked.every((each) => each.authorization === authorization)).toBe(true);
        const seen = `${thrown.message} ${thrown.stack} ${asked.map(({ url, text }) => url + text).join(" ")}`;
        for (const secret of secrets) expect(seen).not.toContain(secret);
      }
    }
  });

  it("of an address that is none are not said", async () => {
    const open = () =>
      createInfluxdbEventStore({ url: "me:k3y@host", database: "x", clock: {} as never, random: () => 0 });
    expect(open).not.toThrow();
    expect(() =>
      createInfluxdbEventStore({ url: "//me:k3y@", database: "x", clock: {} as never, random: () => 0 }),
    ).toThrow(expect.objectContaining({ code: "setting_invalid", message: expect.not.stringContaining("k3y") }));
  });
});

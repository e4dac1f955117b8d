import { beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { buildEvent } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";

// Now is 07:00 in Amsterdam.
const NOW_US = Date.UTC(2026, 10, 22, 6) * 1000;
const at = (minutes: number) => NOW_US + minutes * 60_000_000;

interface AggregateBody {
  readonly window: string;
  readonly time_zone: string;
  readonly entities: readonly { readonly entity_id: string; readonly windows: readonly Record<string, unknown>[] }[];
}

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
  const power = (minutes: number, value: number) =>
    buildEvent({ entityId: "sensor.power", atUs: at(minutes), state: String(value), value });
  await api.events.write([
    ...[power(-150, 10), power(-90, 20), power(-75, 30)],
    power(30, 1_000),
    buildEvent({ entityId: "light.a", atUs: at(-45), state: "on", value: true }),
    buildEvent({ homeId: "other", entityId: "light.secret", atUs: at(-45), state: "on", value: true }),
  ]);
});

const ask = async (query: string, token?: string) => {
  const response = await api.ask(`/api/v1/events/aggregate?${query}`, token === undefined ? {} : { token });
  return { status: response.status, body: (await response.json()) as AggregateBody };
};

describe("GET /api/v1/events/aggregate", () => {
  it("gives the windows of the home's clock, from the moment asked for until now, and no further", async () => {
    const { status, body } = await ask(
      "entity_id=sensor.power,light.a&from=2026-11-22T04:00:00Z&to=2027-01-01T00:00:00Z",
    );
    expect(status).toBe(200);
    expect(body).toEqual({
      window: "1h",
      time_zone: "Europe/Amsterdam",
      entities: [
        {
          entity_id: "sensor.power",
          windows: [
            {
              ...{ start: "2026-11-22T05:00:00.000000+01:00", end: "2026-11-22T06:00:00.000000+01:00", count: 2 },
              ...{ mean: 25, time_mean: 17.5, held_seconds: 3600, min: 20, max: 30, seconds_on: 0 },
              first: { state: "20", value: 20, last_updated: "2026-11-22T04:30:00.000000+00:00" },
              last: { state: "30", value: 30, last_updated: "2026-11-22T04:45:00.000000+00:00" },
            },
            {
              ...{ start: "2026-11-22T06:00:00.000000+01:00", end: "2026-11-22T07:00:00.000000+01:00", count: 0 },
              ...{ time_mean: 30, held_seconds: 3600, seconds_on: 0 },
            },
          ],
        },
        {
          entity_id: "light.a",
          windows: [
            expect.objectContaining({ count: 0, seconds_on: 0 }),
            {
              ...{ start: "2026-11-22T06:00:00.000000+01:00", end: "2026-11-22T07:00:00.000000+01:00", count: 1 },
              ...{ held_seconds: 0, seconds_on: 2700 },
              first: { state: "on", value: true, last_updated: "2026-11-22T05:15:00.000000+00:00" },
              last: { state: "on", value: true, last_updated: "2026-11-22T05:15:00.000000+00:00" },
            },
          ],
        },
      ],
    });
  });

  it("gives only the functions asked for, repeated or with commas, in windows cut to the span", async () => {
    const span = "from=2026-11-22T04:20:00Z&to=2026-11-22T04:40:00Z";
    const { body } = await ask(`entity_id=sensor.power&${span}&functions=count&functions=min,max&window=1d`);
    expect(body.entities[0]?.windows).toEqual([
      {
        ...{ start: "2026-11-22T05:20:00.000000+01:00", end: "2026-11-22T05:40:00.000000+01:00" },
        ...{ count: 1, min: 20, max: 20 },
      },
    ]);
    const five = await ask(`entity_id=sensor.power&${span}&functions=mean&window=5m`);
    expect(five.body.entities[0]?.windows.map(({ mean }) => mean)).toEqual([undefined, undefined, 20, undefined]);
  });

  it("has days of 23 and of 25 hours", async () => {
    const token = tokenText("home");
    const days = async (from: string, to: string) => {
      const query = `entity_id=sensor.power&from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}&window=1d`;
      const { body } = await ask(`${query}&functions=time_mean`, token);
      return body.entities[0]?.windows.map(({ held_seconds }) => Number(held_seconds) / 3600);
    };
    await api.events.write([buildEvent({ entityId: "sensor.power", atUs: 0, state: "1", value: 1 })]);
    expect(await days("2026-03-28T00:00:00+01:00", "2026-03-31T00:00:00+02:00")).toEqual([24, 23, 24]);
    expect(await days("2026-10-24T00:00:00+02:00", "2026-10-27T00:00:00+01:00")).toEqual([24, 25, 24]);
  });

  it("gives an entity without events, or of another home, windows without values, and nothing of a span to come", async () => {
    const query = "entity_id=light.secret,light.none&from=2026-11-22T05:00:00Z&functions=count,seconds_on";
    const { body } = await ask(query);
    expect(body.entities.map(({ windows }) => windows.map(({ count, seconds_on }) => [count, seconds_on]))).toEqual([
      [[0, 0]],
      [[0, 0]],
    ]);
    const own = await ask(query, tokenText("other"));
    expect(own.body.entities[0]?.windows[0]).toMatchObject({ count: 1, seconds_on: 2700 });
    for (const span of [
      "from=2026-11-22T06:00:00Z",
      "from=2026-12-01T00:00:00Z",
      "from=2026-11-21T00:00:00Z&to=2026-11-21T00:00:00Z",
    ]) {
      expect((await ask(`entity_id=light.a&${span}`)).body.entities).toEqual([{ entity_id: "light.a", windows: [] }]);
    }
  });

  it("refuses too many windows, and says how many and what helps", async () => {
    const { status, body } = await ask("entity_id=light.a,light.b&from=2026-10-22T06:00:00Z&window=5m");
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { code: "request_invalid", errors: [{ field: "window", detail: expect.stringContaining("17,856") }] },
    });
    expect((await ask("entity_id=light.a&from=2026-10-22T06:00:00Z&window=5m")).body.entities[0]?.windows).toHaveLength(
      8_928,
    );
    expect((await ask("entity_id=light.a&from=1990-01-01T00:00:00Z&window=1h")).status).toBe(400);
  });

  it.each([
    ["from=2026-11-22T05:00:00Z", "entity_id"],
    ["entity_id=light.a", "from"],
    ["entity_id=Light&from=2026-11-22T05:00:00Z", "entity_id.0"],
    ["entity_id=light.a&from=2026-11-22T05:00:00Z&window=2h", "window"],
    ["entity_id=light.a&from=2026-11-22T05:00:00Z&functions=mean,median", "functions.1"],
    ["entity_id=light.a&from=2026-11-22T05:00:00Z&to=2026-11-22T04:00:00Z", "to"],
    ["entity_id=light.a&from=2026-11-22T05:00:00Z&limit=1", "limit"],
  ])("refuses %s and names %s", async (query, field) => {
    expect(await ask(query)).toMatchObject({ status: 400, body: { code: "request_invalid", errors: [{ field }] } });
  });

  it("wants a token that may read", async () => {
    await api.addToken(tokenText("home", "w"), "home", ["write"]);
    const query = "entity_id=light.a&from=2026-11-22T05:00:00Z";
    expect(await ask(query, tokenText("home", "w"))).toMatchObject({ status: 403, body: { code: "scope_missing" } });
    expect(await api.ask(`/api/v1/events/aggregate?${query}`, { token: null })).toMatchObject({ status: 401 });
  });
});

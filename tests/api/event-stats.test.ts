import { beforeEach, describe, expect, it } from "vitest";
import { formatIsoUs } from "../../lib/base/time.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { buildEvent, SOME_TIME_US } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";

const at = (seconds: number) => SOME_TIME_US + seconds * 1_000_000;
const iso = (seconds: number) => formatIsoUs(at(seconds));

interface StatsBody {
  readonly next: string | null;
  readonly entities: readonly { readonly entity_id: string; readonly count: number }[];
}

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
  await api.events.write([
    ...[0, 60, 90].map((seconds) => buildEvent({ entityId: "light.a", atUs: at(seconds) })),
    buildEvent({ entityId: "sensor.b", atUs: at(61) }),
    buildEvent({ homeId: "other", entityId: "light.secret", atUs: at(1) }),
  ]);
});
const ask = async (query: string, token?: string) => {
  const response = await api.ask(`/api/v1/events/stats${query}`, token === undefined ? {} : { token });
  return { status: response.status, body: (await response.json()) as StatsBody };
};
const bytes = expect.any(Number);

describe("GET /api/v1/events/stats", () => {
  it("tells of each entity of the home how many events there are, the first, the last and the longest gap", async () => {
    expect(await ask("")).toEqual({
      status: 200,
      body: {
        entities: [
          { entity_id: "light.a", count: 3, first: iso(0), last: iso(90), bytes, longest_gap_seconds: 60 },
          { entity_id: "sensor.b", count: 1, first: iso(61), last: iso(61), bytes, longest_gap_seconds: 0 },
        ],
        next: null,
      },
    });
  });

  it("counts only the span and the entities asked for, the end not included", async () => {
    const span = `from=${encodeURIComponent(iso(60))}&to=${encodeURIComponent(iso(90))}`;
    expect((await ask(`?${span}`)).body.entities.map(({ count }) => count)).toEqual([1, 1]);
    const { body } = await ask("?entity_id=sensor.b,light.none");
    expect(body.entities.map(({ entity_id }) => entity_id)).toEqual(["sensor.b"]);
  });

  it("gives pages, whose cursor is for the same span and home only", async () => {
    const first = await ask("?limit=1");
    expect(first.body.entities.map(({ entity_id }) => entity_id)).toEqual(["light.a"]);
    await api.events.write([buildEvent({ entityId: "aa.before", atUs: at(5) })]);
    const { body } = await ask(`?limit=1&cursor=${first.body.next}`);
    expect(body).toMatchObject({ entities: [{ entity_id: "sensor.b" }], next: null });
    for (const [query, token] of [["&entity_id=light.a"], ["", tokenText("other")]] as const) {
      const { status, body } = await ask(`?cursor=${first.body.next}${query}`, token);
      expect({ status, body }).toMatchObject({ status: 400, body: { code: "cursor_of_another_query" } });
    }
    expect(await ask("?limit=1001")).toMatchObject({ status: 400, body: { errors: [{ field: "limit" }] } });
  });

  it("refuses a span that ends before it begins, an unknown parameter, and a token that may not read", async () => {
    const turned = `?from=${encodeURIComponent(iso(90))}&to=${encodeURIComponent(iso(60))}`;
    expect(await ask(turned)).toMatchObject({
      status: 400,
      body: { code: "request_invalid", errors: [{ field: "to" }] },
    });
    expect(await ask("?order=asc")).toMatchObject({ status: 400, body: { errors: [{ field: "order" }] } });
    await api.addToken(tokenText("home", "w"), "home", ["write"]);
    expect(await ask("", tokenText("home", "w"))).toMatchObject({ status: 403, body: { code: "scope_missing" } });
    expect(await api.ask("/api/v1/events/stats", { token: null })).toMatchObject({ status: 401 });
  });
});

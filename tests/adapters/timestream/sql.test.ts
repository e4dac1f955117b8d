import { TrinoSQL } from "dt-sql-parser/dist/parser/trino/index.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { cellOf } from "../../../lib/adapters/timestream/cells.ts";
import { equals, literal, selectOf, timestamp } from "../../../lib/adapters/timestream/sql.ts";
import { parseIsoUs } from "../../../lib/base/time.ts";
import { buildEvent, HOME_IDS, manyEvents, SOME_TIME_US } from "../../support/events.ts";
import { parseSql } from "../../support/timestream-sql.ts";
import { DAY_US, openReady } from "./support.ts";

// Timestream's SQL is Trino's, less what its guide leaves out. This parser is made from Trino's own grammar, by others.
const trino = new TrinoSQL();
const STRING = "STRING";

/** The kinds of a statement's tokens by Trino's grammar, texts aside: equal for statements that differ in texts alone. */
const shapeOf = (statement: string) =>
  trino
    .getAllTokens(statement)
    .map(({ text, type }) => (text?.startsWith("'") ? STRING : `${type} ${text}`))
    .join("\n");

const NASTY = [
  ...["home' OR '1'='1", "'", "''", "'''", "\\'", "\\", "--", "/* */", "; DROP TABLE x", "%", "_", '"', "U&'\\0027'"],
  ...["\u0000", "\n' OR '1'='1", "\u2019", "~", '~"', "", "\ud800", "𝟘", "é"],
];

describe("what comes from outside", () => {
  it(
    "stays one string in a statement, by Trino's grammar and by ours",
    () =>
      fc.assert(
        fc.property(
          fc.oneof(
            fc.constantFrom(...NASTY),
            fc.string({ unit: "binary", maxLength: 30 }),
            fc.constantFrom(...HOME_IDS),
          ),
          (text) => {
            const statementOf = (homeId: string) =>
              selectOf({
                table: { database: "hearthline", table: "events" },
                ...{ columns: ["time"], homeId, measure: "event", conditions: [equals("area", homeId)] },
              });
            const statement = statementOf(text);
            expect(shapeOf(statement)).toBe(shapeOf(statementOf("plain")));
            expect(trino.validate(statement)).toEqual([]);
            const [home, , area] = parseSql(statement).conditions;
            expect(home).toEqual({ column: "home", operator: "=", values: [{ text: cellOf(text) }] });
            expect(area?.values).toEqual([{ text: cellOf(text) }]);
            expect(literal(text)).not.toMatch(/\p{Cc}/u);
          },
        ),
        { numRuns: 200 },
      ),
    60_000,
  );

  it("says a time to the nanosecond", () =>
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (atUs) => {
        expect(timestamp(atUs)).toMatch(/^TIMESTAMP '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}000'$/);
        expect(parseIsoUs(`${timestamp(atUs).slice(11, -4)}Z`)).toBe(atUs);
      }),
    ));
});

describe("every statement of the store", () => {
  let statements: readonly string[] = [];
  // One of each kind that there is: every filter, both directions, first and later pages, moments, parts, aggregates, tiles, stats, retention.
  beforeAll(async () => {
    const { store, small } = await openReady();
    const big = buildEvent({ attributes: { text: "x".repeat(5_000) }, areaId: "bed'room" });
    await store.write([...manyEvents(300), big]);
    const everyFilter = { areaId: "bed'room", deviceId: "d'1", domain: "light", entityIds: ["light.a", "sensor.it's"] };
    const bounds = { fromUs: SOME_TIME_US - DAY_US, toUs: SOME_TIME_US + DAY_US };
    for (const order of ["asc", "desc"] as const) {
      const page = await store.range({ homeId: "home", order, limit: 10 });
      await store.range({ homeId: "home", order, limit: 10, ...(page.next && { after: page.next }) });
      await store.range({ homeId: "ho'me", order, limit: 1, ...bounds, ...everyFilter });
    }
    await store.range({ homeId: "home", order: "asc", limit: 1_000, areaId: "bed'room" });
    await store.aggregate({ homeId: "home", entityIds: ["light.part_1"], edges: [SOME_TIME_US, SOME_TIME_US + 1_000] });
    const day = Math.floor(SOME_TIME_US / DAY_US) * DAY_US;
    await store.tiles({ homeId: "home", fromUs: day, toUs: day + DAY_US, widthUs: DAY_US });
    await store.stats({ homeId: "home" });
    await store.retention("home");
    statements = small.statements;
  });

  it("is right by Trino's grammar", () => {
    expect(statements.length).toBeGreaterThan(12);
    for (const statement of statements) expect(trino.validate(statement), statement).toEqual([]);
  });

  it("asks for one home first, and for one measure", () => {
    for (const statement of statements) {
      const [home, measure] = parseSql(statement).conditions;
      expect(home).toMatchObject({ column: "home", operator: "=" });
      expect(measure).toMatchObject({ column: "measure_name", operator: "=" });
      expect(home?.values).toHaveLength(1);
    }
  });

  it("uses no word that Timestream reserves as a column, and no more of its SQL than is listed", () => {
    const used = new Set(
      statements.flatMap((statement) => statement.replace(/'(?:[^']|'')*'|"[^"]*"/g, "").match(/\b[A-Z]+\b/g) ?? []),
    );
    expect([...used].sort()).toEqual(
      ["AND", "ASC", "BY", "DESC", "FROM", "IN", "LIMIT", "ORDER", "SELECT", "TIMESTAMP", "WHERE"].sort(),
    );
  });
});

it("finds wrong SQL: what the emulation would refuse, Trino's grammar mostly refuses too", () => {
  for (const wrong of [
    "SELECT",
    "SELECT time FROM",
    "SELECT time FROM a.b WHERE",
    `SELECT time FROM "a"."b" WHERE home = `,
  ]) {
    expect(() => parseSql(wrong)).toThrow(/Expecting/);
    expect(trino.validate(wrong)).not.toEqual([]);
  }
  expect(() => parseSql(`SELECT time FROM "a"."b" WHERE order = 'x'`)).toThrow(/<column>/);
  expect(() => parseSql(`SELECT time FROM "a"."b" WHERE time > TIMESTAMP '2026-02-30 00:00:00.000000000'`)).toThrow(
    /timestamp/,
  );
  expect(() => parseSql(`SELECT time FROM "a"."b" WHERE home = 'x' -- y`)).toThrow(/extraneous/);
});

import { describe, expect, it } from "vitest";
import { parseSchedule } from "../../../local/stack/schedule-expression.ts";

const ms = (text: string) => Date.parse(text);

/** All fires in [from, to). */
function fires(expression: string, timeZone: string, from: string, to: string): string[] {
  const schedule = parseSchedule(expression, timeZone, ms(from));
  const found: string[] = [];
  for (let at = schedule.nextMs(ms(from) - 1); at !== undefined && at < ms(to); at = schedule.nextMs(at))
    found.push(new Date(at).toISOString().replace(":00.000Z", "Z"));
  return found;
}

describe("cron(...)", () => {
  it("fires every quarter of an hour", () => {
    const expected = ["2026-11-22T10:00Z", "2026-11-22T10:15Z", "2026-11-22T10:30Z", "2026-11-22T10:45Z"];
    expect(fires("cron(0/15 * * * ? *)", "UTC", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z")).toEqual(expected);
    expect(fires("cron(*/15 * * * ? *)", "UTC", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z")).toEqual(expected);
  });

  it("counts the days of the week from 1, Sunday", () => {
    // 2026-11-22 is a Sunday.
    const week = ["2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"] as const;
    expect(fires("cron(0 3 ? * 1 *)", "UTC", ...week)).toEqual(["2026-11-22T03:00Z"]);
    expect(fires("cron(0 3 ? * 7 *)", "UTC", ...week)).toEqual(["2026-11-28T03:00Z"]);
    expect(fires("cron(0 3 ? * 2-6 *)", "UTC", ...week)).toHaveLength(5);
    expect(fires("cron(0 3 ? * MON,WED *)", "UTC", ...week)).toEqual(["2026-11-23T03:00Z", "2026-11-25T03:00Z"]);
    expect(fires("cron(0 3 ? * 3/2 *)", "UTC", ...week)).toEqual([
      "2026-11-24T03:00Z",
      "2026-11-26T03:00Z",
      "2026-11-28T03:00Z",
    ]);
  });

  it("knows the last and the n-th weekday, the last day of a month, and years", () => {
    const month = ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"] as const;
    expect(fires("cron(0 3 ? * 6L *)", "UTC", ...month)).toEqual(["2026-12-25T03:00Z"]);
    expect(fires("cron(0 3 ? * 2#2 *)", "UTC", ...month)).toEqual(["2026-12-14T03:00Z"]);
    expect(fires("cron(0 3 L * ? *)", "UTC", ...month)).toEqual(["2026-12-31T03:00Z"]);
    expect(fires("cron(0 3 1 * ? 2027-2028)", "UTC", ...month)).toEqual([]);
    expect(parseSchedule("cron(0 3 1 1 ? 2020)", "UTC", 0).nextMs(ms("2026-01-01T00:00:00Z"))).toBeUndefined();
  });

  it("speaks of the time on the wall", () => {
    expect(fires("cron(0 3 * * ? *)", "Asia/Kathmandu", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")).toEqual([
      "2026-11-22T21:15Z",
    ]);
  });
});

describe("the change to summer time (Amsterdam, 2026-03-29: 02:00 becomes 03:00)", () => {
  const days = ["2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"] as const;

  it("skips a time that the wall never shows", () => {
    expect(fires("cron(30 2 * * ? *)", "Europe/Amsterdam", ...days)).toEqual([
      "2026-03-28T01:30Z",
      "2026-03-30T00:30Z",
    ]);
  });

  it("fires once at 03:00, which comes right after 01:59", () => {
    expect(fires("cron(0 3 * * ? *)", "Europe/Amsterdam", ...days)).toEqual([
      "2026-03-28T02:00Z",
      "2026-03-29T01:00Z",
      "2026-03-30T01:00Z",
    ]);
  });

  it("goes on every quarter of an hour without a gap", () => {
    const found = fires("cron(0/15 * * * ? *)", "Europe/Amsterdam", "2026-03-29T00:30:00Z", "2026-03-29T01:31:00Z");
    expect(found).toEqual([
      "2026-03-29T00:30Z",
      "2026-03-29T00:45Z",
      "2026-03-29T01:00Z",
      "2026-03-29T01:15Z",
      "2026-03-29T01:30Z",
    ]);
  });
});

describe("the change back (Amsterdam, 2026-10-25: 03:00 becomes 02:00)", () => {
  it("fires once at a time that the wall shows twice, the first time", () => {
    const found = fires("cron(30 2 * * ? *)", "Europe/Amsterdam", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z");
    expect(found).toEqual(["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
  });

  it("fires at 03:00 once", () => {
    const found = fires("cron(0 3 * * ? *)", "Europe/Amsterdam", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z");
    expect(found).toEqual(["2026-10-25T02:00Z", "2026-10-26T02:00Z"]);
  });

  it("asked in the second of the two hours, gives what comes after both", () => {
    const schedule = parseSchedule("cron(0/15 * * * ? *)", "Europe/Amsterdam", 0);
    expect(new Date(schedule.nextMs(ms("2026-10-25T01:20:00Z")) ?? 0).toISOString()).toBe("2026-10-25T02:00:00.000Z");
  });

  it("also where the change is half an hour and the south's summer ends", () => {
    const found = fires("cron(45 1 * * ? *)", "Australia/Lord_Howe", "2026-04-03T00:00:00Z", "2026-04-06T00:00:00Z");
    expect(found).toHaveLength(3);
    expect(found[1]).toBe("2026-04-04T14:45Z");
  });
});

describe("rate(...)", () => {
  it("counts from the start", () => {
    expect(fires("rate(5 minutes)", "UTC", "2026-11-22T10:02:00Z", "2026-11-22T10:13:00Z")).toEqual([
      "2026-11-22T10:07Z",
      "2026-11-22T10:12Z",
    ]);
    expect(parseSchedule("rate(5 seconds)", "UTC", 1_000).nextMs(7_000)).toBe(11_000);
    expect(fires("rate(1 hour)", "UTC", "2026-11-22T10:00:00Z", "2026-11-22T12:30:00Z")).toEqual([
      "2026-11-22T11:00Z",
      "2026-11-22T12:00Z",
    ]);
    expect(fires("rate(1 day)", "UTC", "2026-11-22T10:00:00Z", "2026-11-24T00:00:00Z")).toEqual(["2026-11-23T10:00Z"]);
  });
});

it.each([
  ["rate(0 minutes)"],
  ["rate(5 weeks)"],
  ["every day"],
  ["cron(0 3 * * *)"],
  ["cron(0 3 * * * *)"],
  ["cron(0 3 ? * ? *)"],
  ["cron(0 3 ? * 0 *)"],
  ["cron(0 3 ? * 8 *)"],
  ["cron(0 25 * * ? *)"],
  ["cron(61 3 * * ? *)"],
])("refuses %s and says so", (expression) => {
  expect(() => parseSchedule(expression, "UTC", 0)).toThrow(expression);
});

import { describe, expect, it } from "vitest";
import { dateText, dayOf, daysBetween, timeText, usableClock, yesterdayOf } from "../../../lib/web/app/day.ts";

const clock = { timeZone: "Europe/Amsterdam", dayStart: "03:00" };
const hours = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => (toMs - fromMs) / 3_600_000;
const labels = (date: string, of = clock) => dayOf(date, of).ticks.map(({ label }) => label);

describe("a day of the home", () => {
  it("goes from three to three, with a mark every three hours", () => {
    const day = dayOf("2026-11-21", clock);
    expect([timeText(day.fromMs, clock), timeText(day.toMs, clock), hours(day)]).toEqual(["03:00", "03:00", 24]);
    expect(labels("2026-11-21")).toEqual(["03", "06", "09", "12", "15", "18", "21", "00", "03"]);
  });

  it.each([
    ["2026-03-28", 23, ["03", "06", "09", "12", "15", "18", "21", "00", "03"]],
    ["2026-10-24", 25, ["03", "06", "09", "12", "15", "18", "21", "00", "03"]],
  ])("has as many hours as the clock shows: %s", (date, length, marks) => {
    expect(hours(dayOf(date, clock))).toBe(length);
    expect(labels(date)).toEqual(marks);
  });

  it("gives an hour that comes twice one mark", () => {
    // Clocks go back from 01:00 to 00:00 here.
    const azores = { timeZone: "Atlantic/Azores", dayStart: "03:00" };
    expect(hours(dayOf("2026-10-24", azores))).toBe(25);
    expect(labels("2026-10-24", azores)).toEqual(["03", "06", "09", "12", "15", "18", "21", "00", "03"]);
  });

  it("knows zones off by half an hour", () => {
    expect(labels("2026-11-21", { timeZone: "Asia/Kolkata", dayStart: "03:00" })).toHaveLength(9);
  });

  it("calls yesterday the last day that is over, at night the one before", () => {
    expect(yesterdayOf(Date.parse("2026-11-22T12:00:00Z"), clock)).toBe("2026-11-21");
    expect(yesterdayOf(Date.parse("2026-11-22T01:00:00Z"), clock)).toBe("2026-11-20");
  });

  it("does with UTC where a browser does not know the zone", () => {
    expect(usableClock({ timeZone: "Mars/Olympus", dayStart: "3 o'clock" })).toEqual({
      timeZone: "UTC",
      dayStart: "03:00",
    });
    expect(usableClock(clock)).toEqual(clock);
  });

  it("says dates, and counts days", () => {
    expect([dateText("2026-11-21"), dateText("2026-11-21T02:00:00Z"), dateText("no date")]).toEqual([
      "Sat 21 Nov",
      "Sat 21 Nov",
      "no date",
    ]);
    const nowMs = Date.parse("2026-11-22T12:00:00Z");
    expect([daysBetween("2026-11-15", nowMs), daysBetween("2026-11-22T11:00:00Z", nowMs)]).toEqual([7, 0]);
  });
});

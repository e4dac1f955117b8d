import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueJobs, JOB_KINDS, jobIdOf, LOOK_BACK_NIGHTS } from "../../lib/analysis/index.ts";
import { addDays, localTimeOf } from "../../lib/base/zone.ts";

const ZONES = [
  "UTC",
  "Europe/Amsterdam",
  "America/St_Johns",
  "America/Asuncion",
  "America/Santiago",
  "Africa/Cairo",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Antarctica/Troll",
];
const TICK_US = 15 * 60_000_000;
const DAY_US = 86_400_000_000;
const dateUs = (date: string) => Date.parse(`${date}T00:00:00Z`) * 1000;
const datesBetween = (first: string, last: string) => {
  const dates: string[] = [];
  for (let date = first; date <= last; date = addDays(date, 1)) dates.push(date);
  return dates;
};

/** What a schedule of 15 minutes makes from `fromUs` on: each job with the moment of its first tick. */
function makeAll(timeZone: string, fromUs: number, toUs: number, analysisTime = "03:00") {
  const made = new Map<string, number>();
  for (let nowUs = fromUs, tick = 0; nowUs < toUs; nowUs += TICK_US, tick++) {
    // Far from the hour of the job the answer is the same all day: there one tick in 24 is asked, to save the test's time.
    if (tick % 24 > 0 && !/T0[2-4]/.test(localTimeOf(nowUs, timeZone).text) && analysisTime === "03:00") continue;
    const due = dueJobs(nowUs, { timeZone, analysisTime, kinds: JOB_KINDS, sinceUs: fromUs });
    for (const job of due) if (!made.has(jobIdOf(job))) made.set(jobIdOf(job), nowUs);
  }
  return made;
}

// 2023: all of these zones but three changed their clocks, Asuncion and Santiago at midnight, Lord Howe by 30 minutes, Troll by two hours.
describe("dueJobs over a whole year, asked every 15 minutes", () => {
  it.each(ZONES)("makes each job once, in its night, in the order of its days: %s", (timeZone) => {
    const fromUs = dateUs("2023-01-01") + DAY_US / 2;
    const made = makeAll(timeZone, fromUs, fromUs + 366 * DAY_US);
    const daily = [...made].filter(([id]) => id.startsWith("daily-"));
    const dates = daily.map(([id]) => id.slice("daily-".length));
    expect(dates).toEqual(datesBetween(dates[0] ?? "", dates.at(-1) ?? ""));
    expect(dates.length).toBeGreaterThanOrEqual(365);
    for (const [id, atUs] of daily) {
      const { text } = localTimeOf(atUs, timeZone);
      // The first tick at or after local 03:00 of the next date; where the clock skips 03:00, the first one beyond it.
      expect(`${id} ${text.slice(0, 10)}`).toBe(`${id} ${addDays(id.slice("daily-".length), 1)}`);
      expect(text.slice(11, 16) >= "03:00" && text.slice(11, 16) < "04:15").toBe(true);
    }
    const nightOf = new Map(daily.map(([id, atUs]) => [id.slice("daily-".length), atUs]));
    for (const [id, atUs] of made) expect(nightOf.get(id.slice(id.indexOf("-") + 1))).toBe(atUs);
    const isSaturday = (date: string) => new Date(date).getUTCDay() === 6;
    const idsOf = (kind: string) => [...made.keys()].filter((id) => id.startsWith(kind));
    expect(idsOf("weekly-")).toEqual(dates.filter(isSaturday).map((date) => `weekly-${date}`));
    const lastOfMonth = dates.filter((date) => addDays(date, 1).endsWith("-01"));
    expect(idsOf("monthly-")).toEqual(lastOfMonth.map((date) => `monthly-${date}`));
  });

  it("goes on over Samoa's missing day and with nights at the hour of a change", () => {
    const fromUs = dateUs("2011-12-27");
    const made = makeAll("Pacific/Apia", fromUs, fromUs + 8 * DAY_US);
    const dates = [...made.keys()].filter((id) => id.startsWith("daily")).map((id) => id.slice(6));
    expect(dates).toEqual(datesBetween(dates[0] ?? "", dates.at(-1) ?? ""));
    expect(dates).toContain("2011-12-30");
    for (const time of ["00:00", "00:30", "02:00", "02:30", "23:59"]) {
      for (const zone of ["America/Santiago", "America/Asuncion", "Australia/Lord_Howe", "Europe/Amsterdam"]) {
        const all = [...makeAll(zone, dateUs("2023-03-24"), dateUs("2023-04-04"), time).keys()];
        const days = all.filter((id) => id.startsWith("daily")).map((id) => id.slice(6));
        expect(days).toEqual(datesBetween(days[0] ?? "", days.at(-1) ?? ""));
      }
    }
  });
});

describe("dueJobs at any moment", () => {
  const anyMoment = fc.integer({ min: dateUs("2011-01-01"), max: dateUs("2030-01-01") });
  const options = (timeZone: string, sinceUs = 0) => ({ timeZone, analysisTime: "03:00", kinds: JOB_KINDS, sinceUs });

  it("looks back seven nights, and never makes what it made undone", () =>
    fc.assert(
      fc.property(anyMoment, fc.nat(20 * DAY_US), fc.constantFrom(...ZONES), (nowUs, sleptUs, zone) => {
        const before = dueJobs(nowUs, options(zone));
        const after = dueJobs(nowUs + sleptUs, options(zone));
        for (const due of [before, after]) {
          expect(due.filter((job) => job.kind === "daily")).toHaveLength(LOOK_BACK_NIGHTS);
          expect(due.filter((job) => job.kind === "weekly")).toHaveLength(1);
          expect(new Set(due.map(jobIdOf)).size).toBe(due.length);
        }
        const oldest = after[0]?.date ?? "";
        const stillThere = before.filter((job) => job.date >= oldest).map(jobIdOf);
        expect(after.map(jobIdOf)).toEqual(expect.arrayContaining(stillThere));
      }),
    ));

  it("makes nothing for nights before the home was added, and only enabled kinds", () => {
    const nowUs = dateUs("2026-11-22") + DAY_US / 2;
    const since = (sinceUs: number) => dueJobs(nowUs, options("UTC", sinceUs)).map(jobIdOf);
    expect(since(nowUs - 3_600_000_000)).toEqual([]);
    expect(since(nowUs - DAY_US)).toEqual(["daily-2026-11-21", "weekly-2026-11-21"]);
    const kinds = dueJobs(nowUs, { ...options("UTC"), kinds: ["daily"] }).map((job) => job.kind);
    expect(kinds).toEqual(Array.from({ length: 7 }, () => "daily"));
    expect(dueJobs(nowUs, { ...options("UTC"), kinds: [] })).toEqual([]);
  });

  it("says which zone it does not know", () => {
    expect(() => dueJobs(0, options("Mars/Olympus"))).toThrow(/"Mars\/Olympus"/);
  });
});

import { describe, expect, it } from "vitest";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { homeDayOf, isTimeZone, localDateOf, localTimeOf, localToUs, zonedDayStartUs } from "../../lib/base/zone.ts";

const at = (text: string) => parseIsoUs(text);
const utc = (us: number) => formatIsoUs(us).replace(".000000+00:00", "Z");

describe("local time", () => {
  it.each([
    ["2026-11-22T05:47:09.185382+00:00", "Europe/Amsterdam", "2026-11-22T06:47:09.185382+01:00", 6],
    // Clocks go forward at 01:00 UTC, and back at 01:00 UTC.
    ["2026-03-29T00:59:59.999999Z", "Europe/Amsterdam", "2026-03-29T01:59:59.999999+01:00", 1],
    ["2026-03-29T01:00:00.000000Z", "Europe/Amsterdam", "2026-03-29T03:00:00.000000+02:00", 3],
    ["2026-10-25T00:59:59.999999Z", "Europe/Amsterdam", "2026-10-25T02:59:59.999999+02:00", 2],
    ["2026-10-25T01:00:00Z", "Europe/Amsterdam", "2026-10-25T02:00:00.000000+01:00", 2],
    ["2026-03-08T09:59:59.5Z", "America/Los_Angeles", "2026-03-08T01:59:59.500000-08:00", 1],
    ["2026-03-08T10:00:00Z", "America/Los_Angeles", "2026-03-08T03:00:00.000000-07:00", 3],
    // Half an hour of summer time; a quarter of an hour in the offset; a change one minute after midnight.
    ["2026-04-04T14:59:59Z", "Australia/Lord_Howe", "2026-04-05T01:59:59.000000+11:00", 1],
    ["2026-04-04T15:00:00Z", "Australia/Lord_Howe", "2026-04-05T01:30:00.000000+10:30", 1],
    ["2026-11-22T00:00:00Z", "Asia/Kathmandu", "2026-11-22T05:45:00.000000+05:45", 5],
    ["2010-11-07T02:30:59.999999Z", "America/St_Johns", "2010-11-07T00:00:59.999999-02:30", 0],
    ["2010-11-07T02:31:00Z", "America/St_Johns", "2010-11-06T23:01:00.000000-03:30", 23],
    ["2026-11-22T05:47:09Z", "UTC", "2026-11-22T05:47:09.000000+00:00", 5],
  ])("%s in %s is %s", (text, zone, local, hour) => {
    expect(localTimeOf(at(text), zone)).toEqual({ text: local, hour });
    expect(localDateOf(at(text), zone)).toBe(local.slice(0, 10));
  });

  it("knows zones and refuses others with their name", () => {
    expect(isTimeZone("Europe/Amsterdam")).toBe(true);
    expect(isTimeZone("Mars/Olympus")).toBe(false);
    expect(() => localTimeOf(0, "Mars/Olympus")).toThrow('"Mars/Olympus"');
  });
});

describe("the start of a local day", () => {
  it.each([
    ["2026-11-22", "03:00", "Europe/Amsterdam", "2026-11-22T02:00:00Z"],
    ["2026-03-29", "03:00", "Europe/Amsterdam", "2026-03-29T01:00:00Z"],
    ["2026-03-29", "02:30", "Europe/Amsterdam", "2026-03-29T01:00:00Z"], // does not come: the moment of the change
    ["2026-10-25", "02:30", "Europe/Amsterdam", "2026-10-25T00:30:00Z"], // comes twice: the first
    ["2026-10-25", "03:00", "Europe/Amsterdam", "2026-10-25T02:00:00Z"],
    ["2018-11-04", "00:00", "America/Sao_Paulo", "2018-11-04T03:00:00Z"], // midnight itself is skipped
    ["2011-12-30", "03:00", "Pacific/Apia", "2011-12-30T10:00:00Z"], // a date that never was
    ["2026-11-22", "00:00", "Pacific/Kiritimati", "2026-11-21T10:00:00Z"],
  ])("%s %s in %s is %s", (date, time, zone, moment) => {
    expect(utc(zonedDayStartUs(date, time, zone))).toBe(moment);
  });

  it("refuses what is no date or time", () => {
    expect(() => zonedDayStartUs("2026-02-30", "03:00", "UTC")).toThrow('"2026-02-30"');
    expect(() => zonedDayStartUs("2026-02-03", "24:00", "UTC")).toThrow('"24:00"');
    expect(() => localToUs("2026-02-03T10:00Z", "UTC")).toThrow('"2026-02-03T10:00Z"');
  });

  it("names a home's day by the date on which it begins", () => {
    const zone = "Europe/Amsterdam";
    expect(homeDayOf(at("2026-11-22T01:59:59.999999Z"), "03:00", zone)).toBe("2026-11-21");
    expect(homeDayOf(at("2026-11-22T02:00:00Z"), "03:00", zone)).toBe("2026-11-22");
    expect(homeDayOf(at("2026-03-29T00:59:59Z"), "03:00", zone)).toBe("2026-03-28");
    expect(homeDayOf(at("2026-03-29T01:00:00Z"), "03:00", zone)).toBe("2026-03-29");
  });
});

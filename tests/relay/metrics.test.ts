import { expect, it } from "vitest";
import { metricsOf } from "../../lib/relay/index.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { healthySink, relayHealth, secondsAgo } from "../support/relay-health.ts";

const metric = (text: string, name: string, labels: Record<string, string> = {}) =>
  parseOpenMetrics(text)
    .get(`hearthline_relay_${name}`)
    ?.samples.find((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))?.value;

it("says everything that an alarm needs, in OpenMetrics", () => {
  const text = metricsOf(
    relayHealth({
      sinks: [healthySink({ lag_records: 12, lag_seconds: 40, breaker: "open" }), healthySink({ name: "old" })],
      gaps: { count: 2, recovered: 311 },
      losses: 7,
      lost_at: secondsAgo(60),
    }),
  );
  expect(metric(text, "status", { hearthline_relay_status: "degraded" })).toBe(1);
  expect(metric(text, "status", { hearthline_relay_status: "ok" })).toBe(0);
  expect(metric(text, "home_assistant", { version: "2026.11.0" })).toBe(1);
  expect(metric(text, "sink_lag_records", { sink: "cloud" })).toBe(12);
  expect(metric(text, "sink_lag_seconds", { sink: "cloud" })).toBe(40);
  expect(metric(text, "sink_breaker_open", { sink: "cloud" })).toBe(1);
  expect(metric(text, "sink_breaker_open", { sink: "old" })).toBe(0);
  expect(metric(text, "sink_messages", { sink: "cloud" })).toBe(812);
  expect(metric(text, "gaps")).toBe(2);
  expect(metric(text, "gap_records_recovered")).toBe(311);
  expect(metric(text, "events_lost")).toBe(7);
  expect(metric(text, "events_per_second")).toBe(3.217);
  expect(metric(text, "resident_memory_bytes")).toBe(71_303_168);
  expect(metric(text, "event_loop_lag_seconds")).toBe(0.012);
  expect(metric(text, "disk_free_bytes")).toBe(21_474_836_480);
  expect(metric(text, "clock_offset_seconds", { reference: "aws" })).toBe(0.12);
});

it("escapes what comes from outside", () => {
  const evil = 'a"b\\c\nd} 1';
  const text = metricsOf(relayHealth({ ha_version: evil, sinks: [healthySink({ name: evil })] }));
  expect(metric(text, "home_assistant", { version: evil })).toBe(1);
  expect(metric(text, "sink_cursor", { sink: evil })).toBe(120_450);
});

it("leaves out what is not known, family and all", () => {
  const { process: _process, ...health } = relayHealth({ sinks: [], clock_offsets_ms: {} });
  const families = parseOpenMetrics(metricsOf(health));
  for (const name of ["resident_memory_bytes", "sink_cursor", "clock_offset_seconds"])
    expect(families.has(`hearthline_relay_${name}`)).toBe(false);
  expect(families.has("hearthline_relay_connected")).toBe(true);
});

import { expect, it } from "vitest";
import { createLogger } from "../../../lib/base/log.ts";
import { startSchedules } from "../../../local/stack/schedules.ts";
import { manualClock } from "../../support/manual-clock.ts";

const HOUR_MS = 3_600_000;

function setUp(invoke: (event: unknown) => Promise<unknown>, more: object = {}) {
  const clock = manualClock(Date.parse("2026-11-22T10:00:00Z"));
  const lines: string[] = [];
  const log = createLogger({ write: (line) => lines.push(line), clock });
  const options = {
    name: "tick",
    expressions: ["cron(0/15 * * * ? *)"],
    region: "us-east-1",
    clock,
    log,
    invoke,
    ...more,
  };
  return { clock, lines, schedules: startSchedules(options) };
}

it("fires at its times, with the event that EventBridge sends", async () => {
  const events: unknown[] = [];
  const { clock, schedules } = setUp(async (event) => events.push(event));
  await clock.advance(HOUR_MS);
  expect(events).toHaveLength(4);
  expect(events[0]).toMatchObject({
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    time: "2026-11-22T10:15:00Z",
  });
  await schedules.stop();
});

it("sends the input that is set", async () => {
  const events: unknown[] = [];
  const { clock, schedules } = setUp(async (event) => events.push(event), {
    input: { job: "retention" },
    expressions: ["rate(1 hour)"],
  });
  await clock.advance(HOUR_MS);
  expect(events).toEqual([{ job: "retention" }]);
  await schedules.stop();
});

it("fires once, late, for all that was due while the machine slept", async () => {
  const events: unknown[] = [];
  const { clock, schedules } = setUp(async (event) => events.push(event));
  clock.set(Date.parse("2026-11-22T13:07:00Z"));
  await clock.advance(60_000);
  expect(events).toHaveLength(1);
  await clock.advance(8 * 60_000);
  expect(events).toHaveLength(2);
  await schedules.stop();
});

it("goes by a clock that was ahead and is set right", async () => {
  const events: unknown[] = [];
  const { clock, schedules } = setUp(async (event) => events.push(event));
  clock.set(Date.parse("2026-11-20T09:50:00Z"));
  await clock.advance(30 * 60_000);
  expect(events).toMatchObject([{ time: "2026-11-20T10:00:00Z" }, { time: "2026-11-20T10:15:00Z" }]);
  await schedules.stop();
});

it("tries a function that failed twice more, as Lambda does, then gives up until the next time", async () => {
  const attempts: number[] = [];
  const { clock, lines, schedules } = setUp(
    async () => {
      attempts.push(clock.nowMs());
      throw new Error("broken");
    },
    { expressions: ["rate(1 hour)"] },
  );
  await clock.advance(HOUR_MS + 10 * 60_000);
  expect(attempts.map((at) => (at - (attempts[0] ?? 0)) / 1000)).toEqual([0, 60, 180]);
  expect(lines.filter((line) => line.includes("failed"))).toHaveLength(3);
  await schedules.stop();
});

it("when stopped, waits for what runs and fires no more", async () => {
  let end = () => {};
  let calls = 0;
  const { clock, schedules } = setUp(() => {
    calls++;
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  await clock.advance(15 * 60_000);
  let isStopped = false;
  const stopped = schedules.stop().then(() => {
    isStopped = true;
  });
  await clock.advance(HOUR_MS);
  expect([calls, isStopped]).toEqual([1, false]);
  end();
  await stopped;
});

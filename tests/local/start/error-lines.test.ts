import { expect, it } from "vitest";
import { createErrorLines } from "../../../local/start/error-lines.ts";
import { manualClock } from "../../support/manual-clock.ts";

const line = (level: string, message: string, error?: unknown) =>
  Buffer.from(`${JSON.stringify({ level, message, error })}\n`);

function setUp() {
  const clock = manualClock();
  const told: string[] = [];
  return { clock, told, feed: createErrorLines(clock, (text) => told.push(text)) };
}

it("tells errors with their reason, and nothing else", () => {
  const { told, feed } = setUp();
  feed(line("info", "batch done"));
  feed(Buffer.from('plain text with "level":"error" in it\n'));
  feed(line("error", "batch failed", "no answer"));
  feed(line("error", "Refused.", { message: "Make a token." }));
  feed(line("error", "alone"));
  expect(told).toEqual(["batch failed no answer", "Refused. Make a token.", "alone"]);
});

it("puts a line together that comes in pieces", () => {
  const { told, feed } = setUp();
  const whole = line("error", "in pieces");
  feed(whole.subarray(0, 20));
  expect(told).toEqual([]);
  feed(whole.subarray(20));
  expect(told).toEqual(["in pieces"]);
});

it("tells a warning only when its code is asked for, and all of it in one line", () => {
  const told: string[] = [];
  const feed = createErrorLines(manualClock(), (text) => told.push(text), ["house_away"]);
  feed(line("warn", "Slow.", { message: "busy", code: "other" }));
  feed(line("warn", "Slow."));
  feed(line("warn", "Not reached.", { message: "refused:\nnobody\n. Look there.", code: "house_away" }));
  expect(told).toEqual(["Not reached. refused: nobody . Look there."]);
});

it("tells the same words again after five minutes only", async () => {
  const { clock, told, feed } = setUp();
  for (let second = 0; second < 500; second++) {
    feed(line("error", "again"));
    await clock.advance(1_000);
  }
  expect(told).toEqual(["again", "again"]);
});

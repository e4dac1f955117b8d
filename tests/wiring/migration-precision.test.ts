import { afterEach, describe, expect, it } from "vitest";
import { startFaultyMove } from "../support/migration-faults.ts";

/** An old pipeline that keeps milliseconds of every time stamp: declared it is no difference, undeclared it is one cause and not a thousand. */

let move: Awaited<ReturnType<typeof startFaultyMove>>;
afterEach(() => move.stop());

type Row = Awaited<ReturnType<typeof move.row>>;
async function until(isThere: (row: Row) => boolean, steps: number): Promise<Row> {
  let row = await move.row();
  for (let n = 0; n < steps && !isThere(row); n++) row = await move.step();
  return row;
}
const check = ({ checks }: Row, name: string) => checks.find((one) => one.name === name);

describe("an OLD that cuts stamps to milliseconds", () => {
  it("moves as any other where the plan says so, and NEW keeps every event once, to the microsecond", async () => {
    move = await startFaultyMove("dual_write", 80, { precision: "ms", seconds: 60 });
    await move.setOld({ milliseconds: true });
    const row = await until(({ state }) => state === "ramp" || state === "rolling_back", 40);
    expect([row.state, row.reason]).toEqual(["ramp", row.reason]);
    const audit = await move.migrations.audit(row.homeId, row.id);
    expect(audit.map(({ to }) => to)).toEqual(expect.arrayContaining(["backfill", "shadow", "ramp"]));
    const last = (name: string) => audit.flatMap(({ evidence }) => evidence).findLast((one) => one.name === name);
    expect(last("consistency")).toMatchObject({ verdict: "pass", observed: 0 });
    const { past, sent, inNew, inOld } = await move.held();
    expect([...past, ...sent].filter((one) => !inNew.has(one))).toEqual([]);
    expect(inNew.size).toBe(past.length + sent.length);
    expect([...inOld].filter((one) => !/000 \S+$/.test(one))).toEqual([]);
    // None of OLD's later rows is what NEW has to the letter: they are cut.
    expect(sent.filter((one) => inOld.has(one)).length).toBeLessThan(sent.length / 10);
  }, 120_000);

  it("holds before its past comes over where the plan says microseconds, and says what it is", async () => {
    move = await startFaultyMove("dual_write", 20, { precision: "us" });
    await move.setOld({ milliseconds: true });
    const row = await until((one) => check(one, "old-precision")?.verdict === "fail", 6);
    expect(check(row, "old-precision")?.explanation).toMatch(
      /cut to whole milliseconds: \d+ of its newest rows.*sensor\.s\d.*plan anew with "old": \{"precision": "ms"\}/,
    );
    expect(["dual_write", "backfill"]).toContain(row.state);
    const later = await until(() => false, 3);
    expect([later.state, later.verdict, later.trigger]).toEqual([row.state, "fail", undefined]);
  }, 120_000);

  it("is named as one cause by the comparison, when it begins later", async () => {
    move = await startFaultyMove("shadow");
    await move.setOld({ milliseconds: true });
    const row = await until(({ state }) => state === "rolling_back", 16);
    expect(row).toMatchObject({ state: "rolling_back", trigger: "inconsistency" });
    expect(check(row, "consistency")?.explanation).toMatch(
      /cut to whole milliseconds, and the plan says microseconds: \d+ of the rows/,
    );
  }, 120_000);
});

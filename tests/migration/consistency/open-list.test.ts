import { describe, expect, it } from "vitest";
import {
  countClasses,
  countOpen,
  type Look,
  NOTHING_OPEN,
  type OpenList,
  openFrom,
  ROWS_A_LOOK,
  reconcile,
} from "../../../lib/migration/consistency/open-list.ts";
import type { Difference } from "../../../lib/migration/ports.ts";

const RECHECK_US = 30;
const row = (atUs: number, entityId = "light.a"): Difference => ({
  ...{ class: "missing-in-old", entityId, atUs, foundUs: 0, explanation: "" },
});
const look = (atUs: number, found: readonly Difference[], given: Partial<Look> = {}): Look => ({
  ...{ fromUs: 0, toUs: 1_000, atUs, count: found.length, found: found.map((each) => ({ ...each, foundUs: atUs })) },
  ...given,
});
const lookedAt = (looks: readonly Look[], start: OpenList = NOTHING_OPEN) =>
  looks.reduce((so, each) => reconcile(so.open, each, RECHECK_US), {
    open: start,
    confirmed: [],
    late: [],
    repaired: [],
  } as ReturnType<typeof reconcile>);

describe("the list of what is open", () => {
  it("counts a row at a look that is late enough, and not at one before it", () => {
    expect(countOpen(lookedAt([look(100, [row(1)]), look(129, [row(1)])]).open)).toEqual({ counted: 0, waiting: 1 });
    const due = lookedAt([look(100, [row(1)]), look(129, [row(1)]), look(130, [row(1)])]);
    expect(countOpen(due.open)).toEqual({ counted: 1, waiting: 0 });
    expect(due.confirmed).toMatchObject([{ atUs: 1, foundUs: 100 }]);
    expect(lookedAt([look(131, [row(1)])], due.open).confirmed).toEqual([]);
  });

  it("takes another row of the same span for another one", () => {
    const { open, late } = lookedAt([look(100, [row(1)]), look(200, [row(2)])]);
    expect(late).toMatchObject([{ atUs: 1 }]);
    expect(countOpen(open)).toEqual({ counted: 0, waiting: 1 });
  });

  it("knows nothing new of rows and crowds that a look does not see", () => {
    const many = Array.from({ length: ROWS_A_LOOK }, (_, at) => row(2_000 + at));
    const start = lookedAt([
      look(100, [row(1), row(1, "light.b")]),
      look(100, many, { count: 90, fromUs: 2_000, toUs: 3_000 }),
    ]).open;
    const seen = lookedAt([look(200, [], { entityIds: ["light.a"], toUs: 5_000 })], start);
    expect(seen.late).toMatchObject([{ entityId: "light.a" }]);
    expect(countOpen(seen.open)).toEqual({ counted: 0, waiting: 91 });
    expect(lookedAt([look(200, [], { fromUs: 2, toUs: 2_000 })], start).open).toEqual(start);
  });

  it("keeps what counts apart from what waits when crowds are too many and neighbours become one", () => {
    const crowdAt = (atUs: number, index: number) =>
      look(atUs, [], { count: 50, fromUs: index * 1_000, toUs: (index + 1) * 1_000 });
    const everywhere = (atUs: number, crowds: number) =>
      Array.from({ length: crowds }, (_, index) => crowdAt(atUs, index));
    const first = lookedAt(everywhere(100, 150)).open;
    expect(countOpen(first)).toEqual({ counted: 0, waiting: 150 * 50 });
    // The second looks have come to a third of them.
    const half = lookedAt(everywhere(200, 50), first).open;
    expect(half.crowds.length).toBeLessThanOrEqual(100);
    expect(countOpen(half).counted).toBeGreaterThanOrEqual(50 * 50);
    expect(countOpen(lookedAt(everywhere(300, 150), half).open)).toEqual({ counted: 150 * 50, waiting: 0 });
  });

  it("counts a crowd at its second look, gives some of it, and shares its count when only a part was seen", () => {
    const many = Array.from({ length: ROWS_A_LOOK }, (_, at) => row(at));
    const first = lookedAt([look(100, many, { count: 100 })]);
    expect(countOpen(first.open)).toEqual({ counted: 0, waiting: 100 });
    expect(first.confirmed).toEqual([]);
    const second = lookedAt([look(200, many, { count: 101 })], first.open);
    expect(countOpen(second.open)).toEqual({ counted: 101, waiting: 0 });
    expect(second.confirmed.length).toBe(ROWS_A_LOOK);
    const half = lookedAt([look(200, [], { toUs: 500 })], first.open);
    expect(half.open.crowds).toMatchObject([{ fromUs: 500, toUs: 1_000, count: 50 }]);
    expect(lookedAt([look(300, [])], second.open).open).toEqual(NOTHING_OPEN);
  });

  it("is cut off, crowds too, where a later beginning lies", () => {
    const given = { count: 100, lackedByOld: 60, lackedByNew: 20 };
    const crowds = [0, 1_000, 2_000].map((fromUs) => look(100, [], { ...given, fromUs, toUs: fromUs + 1_000 }));
    const { open } = lookedAt([...crowds, look(100, [row(3_100), row(3_500)], { fromUs: 3_000, toUs: 4_000 })]);
    expect(openFrom(open, 0)).toEqual(open);
    const cut = openFrom(open, 1_750).crowds;
    expect(cut).toMatchObject([{ fromUs: 1_750, count: 25, lackedByOld: 15, lackedByNew: 5 }, open.crowds[2]]);
    expect(openFrom(open, 2_000).crowds).toEqual([open.crowds[2]]);
    expect(openFrom(open, 3_500)).toMatchObject({ rows: [{ difference: { atUs: 3_500 } }], crowds: [] });
  });

  it("knows of all that count how many are of each class, crowds and rows alike", () => {
    const crowd = look(100, [], { count: 60, lackedByOld: 30, lackedByNew: 20, fromUs: 2_000, toUs: 3_000 });
    const { open } = lookedAt([look(100, [row(1)]), crowd]);
    expect(countClasses(open)).toEqual({ "missing-in-new": 0, "missing-in-old": 0, different: 0 });
    const counted = lookedAt([look(200, [row(1)]), { ...crowd, atUs: 200 }], open).open;
    expect(countClasses(counted)).toEqual({ "missing-in-new": 20, "missing-in-old": 31, different: 10 });
    const half = lookedAt([look(300, [], { fromUs: 2_500, toUs: 3_000 })], counted).open;
    expect(countClasses(half)).toEqual({ "missing-in-new": 10, "missing-in-old": 16, different: 5 });
  });

  it("lets no crowd grow much wider than the others when there are too many", () => {
    let open: OpenList = NOTHING_OPEN;
    for (let index = 0; index < 1_000; index++)
      ({ open } = reconcile(open, look(100, [], { count: 50, fromUs: index * 10, toUs: index * 10 + 10 }), RECHECK_US));
    expect(open.crowds).toHaveLength(100);
    expect(Math.max(...open.crowds.map(({ fromUs, toUs }) => toUs - fromUs))).toBeLessThanOrEqual(200);
    expect(countOpen(open).waiting).toBe(50_000);
  });

  it("is bounded, whatever is found, and loses no count", () => {
    let open: OpenList = NOTHING_OPEN;
    for (let span = 0; span < 1_000; span++) {
      const found = [row(span * 10), row(span * 10 + 1)];
      ({ open } = reconcile(open, look(span, found, { fromUs: span * 10, toUs: span * 10 + 10 }), RECHECK_US));
    }
    expect(open.rows.length).toBeLessThanOrEqual(160);
    expect(open.crowds.length).toBeLessThanOrEqual(100);
    expect(countOpen(open).waiting).toBe(2_000);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBatchAnswer } from "../../../local/stack/batch-answer.ts";

const ids = ["a", "b", "c"];
const list = (items: unknown) => ({ batchItemFailures: items });

describe("readBatchAnswer", () => {
  it.each([[undefined], [null], [{}], [list(undefined)], [list(null)], [list([])]])(
    "takes %j for success",
    (answer) => {
      expect(readBatchAnswer(answer, ids).failed.size).toBe(0);
    },
  );

  it("fails the whole batch for an answer that cannot be JSON", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect([...readBatchAnswer(circle, ids).failed]).toEqual(ids);
    expect([...readBatchAnswer({ size: 1n }, ids).failed]).toEqual(ids);
  });

  it("gives exactly the reported ids of the batch, however often and in whatever order they come", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ids)), (reported) => {
        const { failed, reason } = readBatchAnswer(list(reported.map((itemIdentifier) => ({ itemIdentifier }))), ids);
        expect(failed).toEqual(new Set(reported));
        expect(reason).toBeUndefined();
      }),
    );
  });

  it("never loses a message: any other answer fails all, or none by an answer that says nothing", () => {
    fc.assert(
      fc.property(fc.anything(), (answer) => {
        const { failed, reason } = readBatchAnswer(answer, ids);
        expect(reason === undefined ? 0 : ids.length).toBe(failed.size);
      }),
    );
  });
});

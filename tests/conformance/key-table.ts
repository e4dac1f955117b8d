import { describe, expect, it } from "vitest";
import { keyForms, keysWritten, operationsSeen } from "../support/table-watch.ts";

/** What lies in no home's partition: which homes there are, whose a token is that names none, which homes have segments (written once an hour), and which have a migration under way. */
const NO_HOME = ["D#<bucket>", "T#<sha-256>", "MD", "SD"];
const OPERATIONS = ["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"];

/** Holds the table of keys.ts against the keys that the suites before this one have written: to be called last. */
export function keyTableConformance(): void {
  describe("keys.ts", () => {
    it("lists every key that is written, and none that is not", () => {
      const forms = keyForms();
      const used = new Set<string>();
      const unlisted = keysWritten().filter(([pk, sk]) => {
        const found = forms.filter((form) => form.matches(pk, sk));
        for (const { question } of found) used.add(question);
        return found.length !== 1;
      });
      expect(unlisted.slice(0, 5)).toEqual([]);
      expect(forms.map(({ question }) => question).filter((question) => !used.has(question))).toEqual([]);
    });

    it("has every key begin with its home, the listed exceptions excepted", () => {
      const others = keyForms().filter(({ pk }) => !/^[A-Z]+#<home>$/.test(pk));
      expect(others.map(({ pk }) => pk)).toEqual(NO_HOME);
    });

    it("needs no operation that reads a whole table, and none that emulators do not know", () => {
      const provisioning = ["CreateTable", "DescribeTable", "UpdateTimeToLive"];
      expect([...operationsSeen].filter((name) => !provisioning.includes(name)).sort()).toEqual(OPERATIONS);
    });
  });
}

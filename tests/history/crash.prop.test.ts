import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createJsonlSource } from "../../lib/adapters/jsonl/source.ts";
import { formatIsoUs } from "../../lib/base/time.ts";
import type { ImportStateFile } from "../../lib/history/index.ts";
import { runs } from "../support/depth.ts";
import { Cut, importFolder, KeepingSink, plain, runTestImport, second } from "../support/imports.ts";

const folder = mkdtempSync(join(tmpdir(), "hearthline-crash-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** Padded so that a few hundred lines are several batches. */
const lineOf = (n: number): string => {
  const noise = Array.from({ length: 150 }, (_, at) => Math.imul((n + 1) * (at + 7), 2_654_435_761) >>> 0).join(" ");
  const attributes = { noise: noise.repeat(8).slice(0, 12_000 - (n % 1_000)) };
  return JSON.stringify({
    entity_id: `sensor.s${n % 7}`,
    state: String(n),
    last_updated: formatIsoUs(second(n)),
    attributes,
  });
};
const LINES = Array.from({ length: 900 }, (_, n) => lineOf(n));

/** Where the power is cut in one run: at a call of the queue, or at a write of the state. */
const cuts = fc.array(
  fc.record({
    where: fc.constantFrom("before sending", "after sending", "before writing", "after writing"),
    at: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 6 },
);

/** The state's file, in which the power is cut at the n-th write. */
function cutting(file: ImportStateFile, { where, at }: { where: string; at: number }): ImportStateFile {
  let writes = 0;
  return {
    load: () => file.load(),
    save: (state) => {
      writes += 1;
      if (where === "before writing" && writes === at) throw new Cut();
      file.save(state);
      if (where === "after writing" && writes === at) throw new Cut();
    },
    close: () => file.close(),
  };
}

describe("an import that is killed at any moment, any number of times", () => {
  it("sends every row in the end, and no number with two contents", async () => {
    await fc.assert(
      fc.asyncProperty(cuts, fc.integer({ min: 0, max: LINES.length }), async (deaths, grownAt) => {
        const path = join(folder, `${++files}.jsonl`);
        const place = importFolder();
        const sink = new KeepingSink();
        try {
          // The file grows at the first death.
          writeFileSync(path, LINES.slice(0, grownAt).join("\n"));
          for (const death of deaths) {
            sink.calls = 0;
            sink.cut = death.where.endsWith("sending")
              ? { call: death.at, isAfter: death.where === "after sending" }
              : undefined;
            const file = cutting(place.states.open("one"), death);
            const source = createJsonlSource(path);
            await runTestImport({ source, sink, file }).catch((thrown) => expect(thrown).toBeInstanceOf(Cut));
            writeFileSync(path, LINES.join("\n"));
          }
          writeFileSync(path, LINES.join("\n"));
          sink.cut = undefined;
          const last = await runTestImport({ source: createJsonlSource(path), sink, file: place.states.open("one") });

          const { contents } = sink;
          expect([...contents.values()].every((texts) => texts.size === 1)).toBe(true);
          expect(contents.size).toBe(last.sequence);
          const once = new Map(sink.records.map((record) => [record.n, plain(record)]));
          expect([...once.keys()].toSorted((a, b) => a - b)).toEqual(LINES.map((_, at) => at + 1));
          const states = [...once].toSorted(([a], [b]) => a - b).map(([, record]) => record.state);
          expect(states).toEqual(LINES.map((_, n) => String(n)));
          const kinds = [...once.values()].filter(({ kind }) => kind === "restore");
          expect(kinds).toHaveLength(7);
        } finally {
          place.remove();
        }
      }),
      { numRuns: runs(8) },
    );
  }, 120_000);
});

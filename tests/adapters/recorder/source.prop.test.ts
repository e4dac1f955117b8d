import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createRecorderSource } from "../../../lib/adapters/recorder/source.ts";
import type { PastRow } from "../../../lib/history/index.ts";
import { runs } from "../../support/depth.ts";
import { importFolder, KeepingSink, listSource, plain, runTestImport, second } from "../../support/imports.ts";
import { RecorderDatabase, SCHEMAS, type WrittenRow } from "../../support/recorder-database.ts";

const folder = mkdtempSync(join(tmpdir(), "hearthline-recorder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const attributes = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,6}$/),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.integer(), { maxLength: 3 })),
  { maxKeys: 3 },
);
/** Rows in the order of time (an empty state without attributes was a removal once, so there is none here), whole microseconds apart, as the recorder has them. */
const histories = fc
  .array(
    fc.record({
      entityId: fc.constantFrom("light.a", "sensor.b", "text.c"),
      state: fc.option(
        fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes("\0")),
        { freq: 6 },
      ),
      stepUs: fc.integer({ min: 1, max: 90_000_000 }),
      keepsChanged: fc.boolean(),
      isFirst: fc.boolean(),
      attributes,
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let atUs = second(0);
    const changed = new Map<string, { state: string | null; lastChangedUs: number }>();
    return steps.map(({ stepUs, keepsChanged, ...row }): WrittenRow => {
      atUs += stepUs;
      const before = changed.get(row.entityId);
      const isSame = keepsChanged && before !== undefined && before.state === row.state && row.state !== null;
      const lastChangedUs = isSame ? before.lastChangedUs : atUs;
      changed.set(row.entityId, { state: row.state, lastChangedUs });
      return { ...row, atUs, lastChangedUs, isFirst: row.isFirst || before === undefined || before.state === null };
    });
  });

async function imported(source: Parameters<typeof runTestImport>[0]["source"]) {
  const place = importFolder();
  const sink = new KeepingSink();
  try {
    await runTestImport({ source, sink, file: place.states.open("one") });
    return sink.records;
  } finally {
    await source.close();
    place.remove();
  }
}

describe("a recorder's database", () => {
  it.each(SCHEMAS)("gives in the schema of %s the records that its rows are", async (schema) => {
    await fc.assert(
      fc.asyncProperty(histories, fc.boolean(), async (rows, isRunning) => {
        const path = join(folder, `${++files}.db`);
        const written = new RecorderDatabase(path, schema);
        written.write(rows);
        if (!isRunning) written.close();
        const wanted = rows.map(
          ({ context: _, ...row }): PastRow => ({
            ...row,
            attributes: row.state === null ? {} : (row.attributes ?? {}),
            isFirst: row.isFirst ?? false,
          }),
        );
        const [found, truth] = [await imported(createRecorderSource(path)), await imported(listSource(wanted))];
        if (isRunning) written.close();
        expect(found.map(plain)).toEqual(truth.map(plain));
      }),
      { numRuns: runs(25) },
    );
  });
});

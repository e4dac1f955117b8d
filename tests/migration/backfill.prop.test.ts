import fc from "fast-check";
import { expect, it } from "vitest";
import type { PastRow } from "../../lib/history/index.ts";
import { KeepingSink, listSource, plain, second } from "../support/imports.ts";
import { backfillOf, stepOf } from "./backfill-support.ts";

const crash = fc.record({
  /** In which step the process is killed, at which call of the queue, and whether the queue had taken it. */
  call: fc.integer({ min: 1, max: 3 }),
  isAfter: fc.boolean(),
  /** What OLD has come to hold meanwhile, in the middle of what was sent already: rows that came late. */
  late: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 3 }),
  /** The step ran to its end, and its commit was refused: another step was first. */
  isRefused: fc.boolean(),
  /** Sending failed, and the process lived on. */
  isAlive: fc.boolean(),
});

it("sends all of the past whatever kills its steps, and gives no number two contents", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 }),
      fc.array(crash, { maxLength: 5 }),
      fc.integer({ min: 1, max: 12 }),
      async (moments, crashes, rowsPerStep) => {
        const rows = new Map<number, PastRow>();
        const add = (at: number) =>
          rows.set(at, {
            entityId: `light.l${at % 3}`,
            state: at % 2 ? "on" : "off",
            attributes: {},
            atUs: second(at),
          });
        for (const at of moments) add(at);
        const sink = new KeepingSink();
        // By time, as OLD answers: a position is a moment.
        const source = () => {
          const all = [...rows.values()].toSorted((a, b) => a.atUs - b.atUs);
          const list = listSource(all);
          return {
            ...list,
            async *read(position: unknown, signal: AbortSignal) {
              const from = all.filter(({ atUs }) => atUs > Number(position ?? 0));
              for await (const chunk of listSource(from).read(undefined, signal))
                yield { ...chunk, position: chunk.rows.at(-1)?.atUs };
            },
          };
        };
        let memory: unknown;
        let check = backfillOf({ sink, source, rowsPerStep });
        for (const { call, isAfter, late, isRefused, isAlive } of crashes) {
          sink.cut = { call: sink.calls + call, isAfter };
          const step = await stepOf(check, memory);
          if (sink.calls < sink.cut.call || isAlive) memory = isRefused ? memory : step.memory;
          // Killed: what it had in memory is gone with it, and nothing was committed.
          else check = backfillOf({ sink, source, rowsPerStep });
          sink.cut = undefined;
          const { position = 0, isSent = false } = (memory ?? {}) as { position?: number; isSent?: boolean };
          for (const at of late) if (!isSent && second(at) > position) add(at);
        }
        for (let steps = 0; steps < 80; steps++) {
          const step = await stepOf(check, memory);
          memory = step.memory;
          if (step.result?.verdict === "pass") break;
          expect(steps).toBeLessThan(79);
        }
        for (const texts of sink.contents.values()) expect(texts.size).toBe(1);
        const sent = new Set(sink.records.map((record) => `${record.entity_id} ${plain(record).last_updated}`));
        expect(sent.size).toBe(rows.size);
        const byRelay = Map.groupBy(sink.contents.keys(), (name) => name.split(" ")[0]);
        // Without holes, so that the ledger of each name is complete.
        for (const names of byRelay.values())
          expect(names.map((name) => Number(name.split(" ")[1])).toSorted((a, b) => a - b)).toEqual(
            names.map((_, at) => at + 1),
          );
      },
    ),
    { numRuns: 200 },
  );
});

import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { LONG } from "./vitest.long.ts";

/** Real processes, killed and started again; and what changes the world for whoever comes after: a mocked module, a library that patches a prototype; and what measures this process's memory. Each file has a worker of its own. */
const PROCESSES = [
  "tests/journey/**/*.test.ts",
  "tests/local/start/*.test.ts",
  "tests/adapters/sqlite/open-unwritable.test.ts",
  "tests/devices/{definitions,simulated-home}.test.ts",
  "tests/backup/bomb.test.ts",
];
const ELSEWHERE = ["tests/peers/**", "**/node_modules/**", ...LONG];

/** What takes seconds is begun first, so that no core waits for the last file. Nothing but the order depends on this list. */
const FIRST =
  /(conformance|event-store|faults|routes|relay-process|relay-status|write|hot-partition|key-rotation|history|template|plugin|deploy|crash|gate)\.test|(source|crash|crashes|generate)\.prop/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId, project }: TestSpecification): number =>
      project.name === "processes" ? 0 : FIRST.test(moduleId) ? 1 : 2;
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

export default defineConfig({
  test: {
    // A limit ends what hangs; it measures nothing. So all are far from what a busy machine needs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    // Half of what takes long waits, for a process or for a moment: with one file a core the cores wait with it.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    retry: 0,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: "processes", include: PROCESSES, exclude: ELSEWHERE, setupFiles: ["tests/support/seed.ts"] },
      },
      {
        extends: true,
        test: {
          name: "units",
          include: ["tests/**/*.test.ts"],
          exclude: [...PROCESSES, ...ELSEWHERE],
          // What several files import is loaded once a worker.
          isolate: false,
          setupFiles: ["tests/support/seed.ts", "tests/support/leave-as-found.ts"],
        },
      },
    ],
  },
});

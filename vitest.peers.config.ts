import { defineConfig } from "vitest/config";
import { LONG } from "./vitest.long.ts";

/** Tests that `npm test` runs with fewer random cases and less volume (tests/support/depth.ts), once more and deeper. */
const DEEPER = [
  "tests/**/*.prop.test.ts",
  "tests/adapters/parquet/conformance.test.ts",
  "tests/adapters/timestream/event-store.test.ts",
  "tests/tenancy/routes.test.ts",
];

// Real servers: one file after the other (each starts its own), installations take minutes, and nothing is tried twice.
export default defineConfig({
  test: {
    include: ["tests/peers/**/*.test.ts", ...LONG, ...DEEPER],
    env: { HEARTHLINE_TEST_DEPTH: process.env.HEARTHLINE_TEST_DEPTH ?? "5" },
    setupFiles: ["tests/support/seed.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 30 * 60_000,
    teardownTimeout: 120_000,
    pool: "forks",
    retry: 0,
  },
});

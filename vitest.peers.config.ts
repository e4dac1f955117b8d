import { defineConfig } from "vitest/config";

// Real servers: one file after the other (each starts its own), installations take minutes, and nothing is tried twice.
export default defineConfig({
  test: {
    include: ["tests/peers/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 30 * 60_000,
    teardownTimeout: 120_000,
    pool: "forks",
    retry: 0,
  },
});

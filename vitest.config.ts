import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: ["tests/peers/**", "**/node_modules/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    // By default one core stays idle: on two cores that doubles the time.
    maxWorkers: "100%",
    retry: 0,
  },
});

import { createHash } from "node:crypto";
import { afterAll, expect } from "vitest";

// Many files share a worker (vitest.config.ts): a file that leaves something changed fails itself, not the one after it.
const found = look();
afterAll(() => expect(look()).toEqual(found));

function look() {
  const { fetch, setTimeout: timer, Date: dates } = globalThis;
  // Values of the environment may be secrets: what is shown tells only that one has changed.
  const env = Object.entries(process.env)
    .filter(([name]) => !name.startsWith("VITEST"))
    .map(([name, value = ""]) => `${name} ${createHash("sha256").update(value).digest("hex").slice(0, 8)}`)
    .sort();
  const patched = [BigInt.prototype, Object.prototype, Array.prototype].flatMap(Reflect.ownKeys).length;
  return { fetch, timer, dates, patched, random: Math.random, folder: process.cwd(), env };
}

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const bin = (name: string) => join(root, "node_modules/.bin", name);

/** Every planted wrong import: the rule that must catch it, the file it stands in, what that file imports. */
const PLANTS: readonly (readonly [rule: string, file: string, ...imports: string[]])[] = [
  ["no-cycles", "lib/base/circle-a.ts", "./circle-b.ts"],
  ["base-knows-nothing", "lib/base/planted.ts", "../event/index.ts"],
  ["event-knows-only-base", "lib/event/planted.ts", "../relay/index.ts"],
  ["series-knows-only-event", "lib/series/planted.ts", "../store/index.ts"],
  ["relay-never-looks-ahead", "lib/relay/ahead.ts", "../history/index.ts"],
  ["history-never-looks-ahead", "lib/history/ahead.ts", "../ingest/index.ts"],
  ["ingest-never-looks-ahead", "lib/ingest/ahead.ts", "../devices/index.ts"],
  ["devices-never-looks-ahead", "lib/devices/ahead.ts", "../enrich/index.ts"],
  ["enrich-never-looks-ahead", "lib/enrich/ahead.ts", "../store/index.ts"],
  ["store-never-looks-ahead", "lib/store/ahead.ts", "../analysis/index.ts"],
  ["analysis-never-looks-ahead", "lib/analysis/ahead.ts", "../suggestions/index.ts"],
  ["suggestions-never-looks-ahead", "lib/suggestions/ahead.ts", "../publish/index.ts"],
  ["publish-never-looks-ahead", "lib/publish/ahead.ts", "../api/index.ts"],
  ["api-never-looks-ahead", "lib/api/ahead.ts", "../web/index.ts"],
  ["rooms-enter-by-the-door", "lib/enrich/window.ts", "../devices/inside.ts"],
  ["rooms-know-no-outside", "lib/store/outside.ts", "../adapters/sqlite/store.ts"],
  ["backup-wraps-ports", "lib/backup/nosy.ts", "../store/index.ts"],
  ["backup-is-known-to-wiring-alone", "lib/api/backed-up.ts", "../backup/index.ts"],
  ["migration-wraps-ports", "lib/migration/nosy.ts", "../devices/inside.ts"],
  ["migration-is-known-to-wiring-alone", "lib/api/migrated.ts", "../migration/index.ts"],
  ["adapters-see-ports-only", "lib/adapters/sqlite/nosy.ts", "../../store/index.ts"],
  ["outside-only-in-adapters", "lib/enrich/disk.ts", "node:fs"],
  ["no-aws-sdk-at-run-time", "lib/adapters/sqs/sdk.ts", "@aws-sdk/client-sqs"],
  ["house-stays-out-of-the-cloud", "functions/house.ts", "../lib/wiring/house.ts"],
  ["handlers-see-wiring-only", "functions/planted.ts", "../lib/enrich/index.ts"],
  ["relay-sees-wiring-only", "local/relay.ts", "../lib/relay/index.ts"],
  ["laptop-stays-outside", "local/start.ts", "../lib/enrich/index.ts"],
  ["wiring-is-the-top", "lib/enrich/upward.ts", "../wiring/enrich.ts"],
  ["nobody-imports-tests", "lib/api/tested.ts", "../../tests/support/thing.ts"],
  ["nobody-imports-quality", "lib/api/judged.ts", "../../quality/match.ts"],
  ["generator-knows-no-detector", "local/home/knowing.ts", "../../lib/analysis/index.ts"],
  ["page-client-is-bundled-alone", "lib/wiring/page.ts", "../web/app/main.tsx"],
  ["page-client-stays-small", "lib/web/app/large.ts", "../../event/index.ts"],
  ["no-unreached-file", "lib/store/lonely.ts"],
  ["no-unresolvable", "lib/web/nowhere.ts", "./is-not-there.ts"],
];
/** Files that the plants lead to, and imports that are right and must not be reported. */
const NEIGHBOURS: readonly (readonly [file: string, ...imports: string[]])[] = [
  ["lib/base/circle-b.ts", "./circle-a.ts"],
  ...[
    "event",
    "relay",
    "history",
    "ingest",
    "devices",
    "enrich",
    "store",
    "analysis",
    "suggestions",
    "publish",
    "api",
    "web",
  ].map((room) => [`lib/${room}/index.ts`] as const),
  ["lib/web/app/main.tsx"],
  ["lib/devices/inside.ts"],
  ["lib/backup/index.ts", "../store/ports.ts"],
  ["lib/migration/index.ts", "../store/ports.ts", "../devices/index.ts"],
  ["lib/store/ports.ts"],
  ["lib/adapters/sqlite/store.ts", "../../store/ports.ts", "node:sqlite"],
  ["lib/wiring/enrich.ts", "../enrich/index.ts", "../adapters/sqlite/store.ts"],
  ["lib/adapters/mqtt/client.ts"],
  ["lib/wiring/house.ts", "../adapters/mqtt/client.ts"],
  ["tests/support/thing.ts"],
  ["quality/match.ts"],
];

let folder: string;
let found: { rule: string; from: string }[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-rules-"));
  for (const [file, ...imports] of [...PLANTS.map(([, ...plant]) => plant), ...NEIGHBOURS]) {
    const path = join(folder, file as string);
    mkdirSync(dirname(path), { recursive: true });
    const lines = imports.map(
      (target, index) => `import * as i${index} from "${target}";\nexport const v${index} = i${index};`,
    );
    writeFileSync(path, `${lines.join("\n")}\nexport const here = 1;\n`);
  }
  for (const name of ["node_modules", "tsconfig.json", ".dependency-cruiser.cjs"])
    symlinkSync(join(root, name), join(folder, name));
  const args = ["--config", ".dependency-cruiser.cjs", "--output-type", "json", "functions", "lib", "local"];
  const { stdout } = spawnSync(bin("depcruise"), args, { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const summary = (JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } })
    .summary;
  found = summary.violations.map(({ from, rule }) => ({ rule: rule.name, from }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("import rules", () => {
  it.each(PLANTS)("%s catches a planted import in %s", (rule, file) => {
    expect(found).toContainEqual({ rule, from: file });
  });

  it("every rule has a plant", () => {
    const require = createRequire(import.meta.url);
    const rules = (require(join(root, ".dependency-cruiser.cjs")) as { forbidden: { name: string }[] }).forbidden.map(
      ({ name }) => name,
    );
    expect(rules.toSorted()).toEqual([...new Set(PLANTS.map(([rule]) => rule))].toSorted());
  });

  it("right imports are left alone", () => {
    expect(
      found.filter(({ from, rule }) => from === "lib/adapters/sqlite/store.ts" && rule !== "no-unreached-file"),
    ).toEqual([]);
    expect(found.filter(({ from, rule }) => from === "lib/wiring/enrich.ts" && rule !== "no-unreached-file")).toEqual(
      [],
    );
  });

  it("the compiler sees TypeScript (with TypeScript 7 the checker is blind and reports success)", () => {
    expect(execFileSync(bin("tsc"), ["--version"], { encoding: "utf8" })).toMatch(/Version 6\./);
  });
});

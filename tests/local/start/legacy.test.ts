import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readRun } from "../../../local/start/run-file.ts";
import { eventually, run } from "../../support/process.ts";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "hearthline-old-"));
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(AWS_|HEARTHLINE_|VITEST|NODE_OPTIONS)/.test(name)),
);

interface Events {
  readonly events: readonly { readonly data: { readonly entity_id: string } }[];
}

describe("npm start -- --old legacy", () => {
  const begin = () =>
    run(
      [join(root, "local/start.ts"), "--data", folder, "--port", "0", "--days", "0", "--rate", "20", "--old", "legacy"],
      { env },
    );
  const portOf = () => readRun(folder)?.parts.find(({ name }) => name === "legacy")?.port;
  let stack = begin();
  afterAll(async () => {
    stack.child.kill("SIGKILL");
    await stack.ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });

  const ready = () => eventually("the stack", () => /^ready in/m.exec(stack.output()) ?? undefined, 60_000);
  const ask = async (path: string, init?: RequestInit) =>
    (await fetch(`http://127.0.0.1:${portOf()}${path}`, init)).json();

  it("feeds the old pipeline beside the cloud, also after it was down and after a restart, at the same address", async () => {
    await ready();
    const taken = async () => ((await ask("/health")) as { rows_taken: number }).rows_taken;
    await eventually("events in the old pipeline", async () => (await taken()) > 5, 30_000);
    const { events } = (await ask("/api/v1/events?limit=5")) as Events;
    expect(events[0]?.data.entity_id).toMatch(/^\w+\.\w+$/);
    const port = portOf();
    const faults = (body: object) => ask("/faults", { method: "PUT", body: JSON.stringify(body) });
    await faults({ down: true });
    await expect(ask("/health")).rejects.toThrow();
    await faults({});
    const before = await taken();
    await eventually("more events", async () => (await taken()) > before, 60_000);
    stack.child.kill("SIGTERM");
    expect(await stack.ended).toBe(0);
    stack = begin();
    await ready();
    expect(portOf()).toBe(port);
    expect(await taken()).toBeGreaterThanOrEqual(before);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  hearthline,
  hearthlineProcess,
  keptEvents,
  ledgerOf,
  sentEvents,
  sentUntil,
  subscribedSince,
} from "../support/embedded.ts";
import { newDataFolder, type RunningStack, removeData, startStack, until } from "../support/stack.ts";

const RATE = 100;
const EVER = ["2000-01-01T00:00:00.000000+00:00", "2200-01-01T00:00:00.000000+00:00"] as const;

describe("a backup of a home in which events flow, in a second system", { timeout: 90_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-backup-journey-"));
  const file = join(folder, "home.backup");
  const passphraseFile = join(folder, "passphrase");
  const SEALED = ["--passphrase-file", passphraseFile];
  const [first, second] = [newDataFolder(), newDataFolder()];
  let from: RunningStack;
  let to: RunningStack;
  let since = "";
  beforeAll(async () => {
    writeFileSync(passphraseFile, "correct horse battery staple\n");
    from = await startStack({ dataFolder: first, args: ["--rate", String(RATE)] });
    since = await subscribedSince(from);
    to = await startStack({ dataFolder: second, args: ["--home", "none"] });
  }, 120_000);
  afterAll(async () => {
    await Promise.all([from?.stop(), to?.stop()]);
    for (const each of [first, second, folder]) removeData(each);
    rmSync(folder, { recursive: true, force: true });
  });

  it("holds every event that its ledger calls arrived; restored, it says the same", async () => {
    await until(
      async () => sentEvents(first, since, "9999").length,
      (count) => count >= 3 * RATE,
    );
    // All up to here is in the store before the backup begins; more is under way all the while.
    const arrived = sentUntil(first);
    await until(
      async () => [(await keptEvents(from, since, arrived)).join(), sentEvents(first, since, arrived).join()],
      ([kept, sent]) => kept === sent,
    );
    // The index has a queue of its own, which may be behind that of the events.
    for (const what of ["devices", "areas"])
      await until(
        () => namesOf(from, what),
        (names) => names.length > 0,
      );
    const before = await ledgerOf(from);
    const created = await hearthlineProcess(first, "backup", "create", "--output", file, ...SEALED);
    expect([created.code, created.out]).toEqual([0, expect.any(String)]);
    expect(created.json).toMatchObject({ home_id: "home", settled: true, set_aside: 0, secrets_left_out: 0 });
    const after = await ledgerOf(from);

    const restored = await hearthlineProcess(second, "backup", "restore", file, ...SEALED);
    expect([restored.code, restored.out]).toEqual([0, expect.any(String)]);
    expect(restored.json).toMatchObject({ events: created.json.events, missing: 0, different: 0 });
    expect(restored.json.same_days).toBe(restored.json.days);

    const kept = await keptEvents(to, ...EVER);
    expect(kept).toEqual(expect.arrayContaining(sentEvents(first, since, arrived)));
    const there = new Set(await keptEvents(from, ...EVER));
    expect(kept.filter((event) => !there.has(event))).toEqual([]);
    // The relay's own numbers: not fewer than before, not more than after, no hole.
    const ledger = await ledgerOf(to);
    expect(ledger).toMatchObject({ missing: 0, lost_records: 0 });
    expect(ledger?.complete_up_to).toBeGreaterThanOrEqual(before?.complete_up_to ?? Number.NaN);
    expect(ledger?.complete_up_to).toBeLessThanOrEqual(after?.complete_up_to ?? Number.NaN);
    for (const what of ["devices", "areas"]) expect(await namesOf(to, what)).toEqual(await namesOf(from, what));
  });

  it("takes the tokens of the first system, and a test event goes through every hop of the second", async () => {
    const headers = { authorization: `Bearer ${from.token}` };
    expect((await to.fetch("/api/v1/areas", { headers })).status).toBe(200);
    const { json } = await hearthlineProcess(second, "doctor");
    const checks = json.findings.map(({ check, result }: { check: string; result: string }) => `${result} ${check}`);
    expect(checks).toEqual(
      expect.arrayContaining(["ok test event: queued", "ok test event: enriched and stored", "ok test event: indexed"]),
    );
  });

  it("does not go over what the second system has by now", async () => {
    const { code, out } = await hearthline(second, "backup", "restore", file, ...SEALED);
    expect([code, out]).toEqual([1, expect.stringContaining("--into-existing")]);
  });
});

async function namesOf(stack: RunningStack, what: string): Promise<unknown[]> {
  const answer = await stack.get<Record<string, Record<string, unknown>[]>>(`/api/v1/${what}?limit=1000`);
  return (answer[what] ?? []).map(({ device_id, area_id, name }) => [device_id, area_id, name]);
}

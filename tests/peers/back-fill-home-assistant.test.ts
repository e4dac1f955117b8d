import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileLastKnown } from "../../lib/adapters/file/last-known.ts";
import { createHomeAssistant } from "../../lib/adapters/homeassistant/client.ts";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import type { GapRecord, RelayRecord } from "../../lib/event/index.ts";
import { createRelay, type Relay } from "../../lib/relay/index.ts";
import type { LastKnownStore, Spool } from "../../lib/relay/ports.ts";
import { keepLog } from "../relay/fakes.ts";
import { describePeer, installPeer, stopPeer } from "../support/peers.ts";
import { numbersOf, type RealHome, startHome, upFrom } from "../support/real-home.ts";
import { differences, type Happened, readRecorder, unrecorded } from "../support/recorder.ts";
import { until } from "../support/stack.ts";

const PATIENTLY = { deadlineMs: 120_000, everyMs: 250 };
const SECOND_MS = 1_000;

for (const version of ["newest", "2024", "current"])
  await describePeer(
    `the gap of a relay before Home Assistant ${version}`,
    () => installPeer("home-assistant", ["--version", version, "--install-only"]),
    () => gap(version),
  );

function gap(version: string): void {
  describe(`the gap of a relay before Home Assistant ${version}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "hearthline-gap-"));
    const { log, lines } = keepLog();
    const clock = systemClock;
    const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 1e9 });
    const lastKnown = createFileLastKnown({ path: join(folder, "last-known.gz"), clock, log });
    let home: RealHome;
    let running: { readonly relay: Relay; readonly kill: () => void };
    let listeningUs = 0;

    beforeAll(async () => {
      home = await startHome(version);
      running = startRelay();
      await until(
        async () => running.relay.health(),
        ({ ha_state }) => ha_state === "RUNNING",
        PATIENTLY,
      );
      await until(
        async () => lines,
        (said) => said.some((line) => line.includes("A snapshot was read")),
        PATIENTLY,
      );
      listeningUs = Date.now() * 1000;
    }, 300_000);
    afterAll(async () => {
      await running?.relay.stop();
      await home?.stop();
      rmSync(folder, { recursive: true, force: true });
    }, 120_000);

    /** As a process would be: when it is killed, nothing of it acts any more. */
    function startRelay() {
      let isDead = false;
      const never = new Promise<never>(() => {});
      const guard = <T>(call: () => Promise<T>): Promise<T> => (isDead ? never : call());
      const guarded: Spool = {
        ...spool,
        relayId: spool.relayId,
        append: (entries) => guard(() => spool.append(entries)),
        recordLoss: (lost) => guard(() => spool.recordLoss(lost)),
        read: (sink, options) => spool.read(sink, options),
        acknowledge: (sink, sequence) => spool.acknowledge(sink, sequence),
        state: () => spool.state(),
        close: async () => {},
      };
      const store: LastKnownStore = {
        load: () => lastKnown.load(),
        save: (image) => guard(() => lastKnown.save(image)),
      };
      const { url, token } = home;
      const ha = createHomeAssistant({ url, token, clock });
      let session: Awaited<ReturnType<typeof ha.connect>> | undefined;
      const relay = createRelay({
        homeId: "home",
        homeAssistant: {
          connect: (signal) =>
            guard(async () => {
              session = await ha.connect(signal);
              return session;
            }),
        },
        spool: guarded,
        lastKnown: store,
        sinks: [],
        references: [],
        clock,
        random: Math.random,
        log,
        include: [],
        exclude: [],
        endsWhenRefused: false,
      });
      void relay.run();
      return {
        relay,
        kill: () => {
          isDead = true;
          void session?.close();
        },
      };
    }

    const records = async (): Promise<RelayRecord[]> =>
      (await spool.read("cloud", { limit: 1e7, maxBytes: 1e9 })).map(({ line }) => JSON.parse(line) as RelayRecord);
    const gaps = async (): Promise<GapRecord[]> => (await records()).filter((record) => record.t === "gap");
    const gapNumber = (count: number) => until(gaps, (found) => found.length >= count, PATIENTLY);

    /** As stores keep them: one for each natural key, and of two the one that knows more. */
    async function events(): Promise<Record<string, unknown>[]> {
      const byKey = new Map<string, Record<string, unknown>>();
      const rank = ({ kind, source }: Record<string, unknown>) => (kind === "snapshot" ? 0 : source === "live" ? 2 : 1);
      for (const record of await records()) {
        if (record.t !== "state" && record.t !== "removed") continue;
        const event: Record<string, unknown> =
          record.t === "state" ? { ...record } : { ...record, kind: "removed", last_updated: record.time_fired };
        const key = `${event.entity_id} ${parseIsoUs(String(event.last_updated))} ${record.t}`;
        const before = byKey.get(key);
        if (!before || rank(event) >= rank(before)) byKey.set(key, event);
      }
      return [...byKey.values()];
    }

    const asItLeaves = (row: Happened): Happened =>
      row.entityId === "text.password" && row.state !== null ? { ...row, state: "[secret]" } : row;

    /** Against the recorder's own database, as soon as that has the last: all of it, and nothing else. */
    async function expectWhole(): Promise<Record<string, unknown>[]> {
      const compared = async () => {
        const told = (await events()).filter(({ last_updated }) => parseIsoUs(String(last_updated)) >= listeningUs);
        const rows = readRecorder(home.dir)
          .filter(({ atUs }) => atUs >= listeningUs)
          .map(asItLeaves);
        expect(rows.length).toBeGreaterThan(100);
        // Events that were live in the last second before a power cut are in no row, and no invention.
        const { missing, invented } = differences(rows, told, { unrecorded: [...unrecorded(home.dir), ...cuts] });
        return { told, missing, invented };
      };
      const isWhole = ({ missing, invented }: Awaited<ReturnType<typeof compared>>) =>
        missing.length + invented.length === 0;
      const { told, missing, invented } = await until(compared, isWhole, { deadlineMs: 60_000, everyMs: 500 }).catch(
        compared,
      );
      expect({ missing, invented }).toEqual({ missing: [], invented: [] });
      return told;
    }
    const cuts: { fromUs: number; toUs: number }[] = [];

    it("is filled after 20 s in which the relay was dead, and says that it is whole", async () => {
      const driving = home.drive("states", { rate: 20, seconds: 30, first: 0 });
      await systemClock.sleep(4 * SECOND_MS);
      running.kill();
      await systemClock.sleep(20 * SECOND_MS);
      await home.ask("DELETE", "/api/states/sensor.relay_load_3");
      running = startRelay();
      expect(await driving).toMatchObject({ made: 600, failed: 0 });
      const [found] = await gapNumber(1);
      expect(found).toMatchObject({ cause: "relay_stopped", complete: true, missing: [] });
      expect(found?.recovered).toBeGreaterThan(300);
      const told = await expectWhole();
      expect(numbersOf(told, 0)).toEqual(upFrom(0, 600));
      const kinds = told.filter(({ source }) => source === "backfill").map(({ kind }) => kind);
      expect(new Set(kinds)).toEqual(new Set(["change", "removed", ...kinds.filter((kind) => kind === "restore")]));
    }, 180_000);

    it("holds what happened before a clean restart that the relay did not see; the restart itself is no change", async () => {
      running.kill();
      expect(await home.drive("service", { rate: 10, seconds: 3, first: 0 })).toMatchObject({ made: 30 });
      await systemClock.sleep(2 * SECOND_MS);
      const endUs = Date.now() * 1000;
      await home.end();
      await home.begin();
      const runningUs = Date.now() * 1000;
      expect(await home.drive("service", { rate: 10, seconds: 3, first: 100 })).toMatchObject({ made: 30 });
      running = startRelay();
      const found = (await gapNumber(2)).at(-1);
      expect(found).toMatchObject({ cause: "home_assistant_restarted" });
      const told = await expectWhole();
      const burst = told.filter(({ last_updated }) => {
        const atUs = parseIsoUs(String(last_updated));
        return atUs > endUs + SECOND_MS * 1000 && atUs < runningUs;
      });
      expect(burst.length).toBeGreaterThan(50);
      expect(changesIn(burst, endUs)).toEqual([]);
    }, 240_000);

    it("holds what is left after a power cut that the relay saw: no false removal, no change", async () => {
      const before = (await records()).filter(({ t }) => t === "removed").length;
      const driving = home.drive("states", { rate: 50, seconds: 4, first: 1_000 }).catch(() => undefined);
      await systemClock.sleep(2 * SECOND_MS);
      const cutUs = Date.now() * 1000;
      await stopPeer(home.dir, ["--kill"]);
      cuts.push({ fromUs: cutUs - 8_000_000, toUs: Date.now() * 1000 });
      await driving;
      await home.begin();
      const runningUs = Date.now() * 1000;
      const found = (await gapNumber(3)).at(-1);
      expect(found).toMatchObject({ cause: "home_assistant_restarted" });
      expect((await records()).filter(({ t }) => t === "removed")).toHaveLength(before);
      const told = await expectWhole();
      const burst = told.filter(({ last_updated }) => {
        const atUs = parseIsoUs(String(last_updated));
        return atUs > cutUs + SECOND_MS * 1000 && atUs < runningUs;
      });
      expect(changesIn(burst, cutUs)).toEqual([]);
    }, 240_000);
  });
}

/** A few do change while the home still starts, or has just started: those that Home Assistant gave another state before, in this start. */
const changesIn = (burst: readonly Record<string, unknown>[], startUs: number): string[] =>
  burst
    .filter(
      ({ kind, old }) => kind === "change" && !(parseIsoUs((old as { last_changed: string }).last_changed) > startUs),
    )
    .map(({ entity_id, state, source, last_updated, old }) =>
      [entity_id, state, source, last_updated, JSON.stringify(old)].join(" "),
    );

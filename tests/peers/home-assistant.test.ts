import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createHomeAssistant } from "../../lib/adapters/homeassistant/client.ts";
import { systemClock } from "../../lib/base/clock.ts";
import type { HaEvent, HaSession, HaState } from "../../lib/relay/ports.ts";
import { type ContractHome, homeAssistantContract } from "../contract/home-assistant.ts";
import { restHome } from "../contract/rest-home.ts";
import {
  describePeer,
  freePort,
  installPeer,
  peerFolder,
  peerScript,
  run,
  startPeer,
  stopPeer,
} from "../support/peers.ts";

const VERSIONS = ["2024", "current", "newest"] as const;

interface RealHome extends ContractHome {
  readonly dir: string;
  readonly pid: number;
}

async function startRealHome(version: string): Promise<RealHome> {
  const { dir, remove } = await peerFolder(`ha-${version}`);
  const args = ["--version", version, "--dir", dir, "--port", String(await freePort())];
  const line = await startPeer("home-assistant", args);
  const token = String(line.token);
  const { rest, changeStates, renameArea } = restHome(line.url, token);
  let value = 0;

  return {
    url: line.url,
    token,
    version: line.version,
    dir,
    pid: line.pid,
    // Beside states by REST, a service: an entity that Home Assistant itself keeps, and the template sensor that follows it.
    change: async () => {
      value += 10;
      const changes = await changeStates();
      await rest("POST", "/api/services/input_number/set_value", { entity_id: "input_number.relay_number", value });
      return [
        ...changes,
        { entityId: "input_number.relay_number", state: `${value}.0` },
        { entityId: "sensor.relay_twice", state: `${2 * value}.0` },
      ];
    },
    changeAreas: renameArea,
    end: () => stopPeer(dir),
    begin: async () => {
      await startPeer("home-assistant", args);
    },
    stop: async () => {
      await stopPeer(dir);
      await remove();
    },
  };
}

const traits = {
  filled: ["areas", "devices", "entities"],
  changesAreas: true,
  booleans: ["input_boolean.relay_boolean", "input_boolean.relay_boolean_restored"],
  patienceMs: 30_000,
} as const;

for (const version of VERSIONS)
  await describePeer(
    `Home Assistant ${version}`,
    () => installPeer("home-assistant", ["--version", version, "--install-only"]),
    () => {
      homeAssistantContract(`Home Assistant ${version}, the real one`, traits, () => startRealHome(version));
      realOnly(version);
    },
  );

function realOnly(version: string): void {
  describe(`Home Assistant ${version} under load and in trouble`, () => {
    let home: RealHome;
    const connect = async (): Promise<HaSession> => {
      const session = await createHomeAssistant({ url: home.url, token: home.token, clock: systemClock }).connect();
      onTestFinished(() => session.close());
      return session;
    };
    beforeAll(async () => {
      home = await startRealHome(version);
    }, 300_000);
    afterAll(() => home?.stop(), 120_000);

    it("makes 5,000 events within a second, and every one arrives once", async () => {
      const session = await connect();
      const sequence: number[] = [];
      await session.subscribeEvents("state_changed", ({ data }) => {
        const state = data.new_state as HaState | null;
        if (state && /^sensor\.relay_load_\d+$/.test(state.entity_id)) sequence.push(Number(state.state));
      });
      const drive = [peerScript("home-assistant/drive.mjs"), "--url", home.url, "--token", home.token];
      const line = await run(process.execPath, [...drive, "--rate", "5000", "--seconds", "1", "--mode", "inside"]);
      expect(JSON.parse(line)).toMatchObject({ made: 5_000, failed: 0 });
      await expect.poll(() => sequence.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(5_000);
      expect(sequence).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
    });

    it("says when an entity is named by its owner, and lists the new name", async () => {
      const session = await connect();
      const events: HaEvent[] = [];
      await session.subscribeEvents("entity_registry_updated", (event) => events.push(event));
      await session.command({ type: "config/entity_registry/update", entity_id: "light.bed_light", name: "Bed lamp" });
      await expect.poll(() => events.length, { timeout: 10_000 }).toBeGreaterThan(0);
      expect(events[0]?.data).toMatchObject({ action: "update", entity_id: "light.bed_light" });
      const rows = await session.getRegistry("entities");
      expect(rows.find(({ entity_id }) => entity_id === "light.bed_light")).toMatchObject({ name: "Bed lamp" });
    });

    it("gives its long-term statistics, hour by hour", async () => {
      const session = await connect();
      const startUs = Math.floor((Date.now() - 40 * 86_400_000) / 3_600_000) * 3_600_000_000;
      await session.command({
        type: "recorder/import_statistics",
        metadata: {
          has_mean: true,
          has_sum: false,
          name: null,
          source: "recorder",
          statistic_id: "sensor.relay_twice",
          unit_of_measurement: "W",
          ...(version !== "2024" && { mean_type: 1, unit_class: "power" }),
        },
        stats: [0, 1].map((hour) => ({
          start: new Date(startUs / 1000 + hour * 3_600_000).toISOString(),
          mean: 5.5 + hour,
          min: 1,
          max: 9,
        })),
      });
      const window = { fromUs: startUs, toUs: startUs + 2 * 3_600_000_000 };
      const ask = () => session.getStatistics({ entityIds: ["sensor.relay_twice", "sun.sun"], ...window });
      await expect.poll(async () => (await ask()).get("sensor.relay_twice")?.length, { timeout: 20_000 }).toBe(2);
      expect([...(await ask())]).toEqual([
        [
          "sensor.relay_twice",
          [0, 1].map((hour) => ({
            startUs: startUs + hour * 3_600_000_000,
            endUs: startUs + (hour + 1) * 3_600_000_000,
            mean: 5.5 + hour,
            min: 1,
            max: 9,
          })),
        ],
      ]);
    });

    it("keeps a removal as a row, and attribute-only changes", async () => {
      const session = await connect();
      const put = (state: string, attributes: object) =>
        fetch(`${home.url}/api/states/sensor.short_lived`, {
          method: "POST",
          headers: { authorization: `Bearer ${home.token}`, "content-type": "application/json" },
          body: JSON.stringify({ state, attributes }),
        });
      await put("1", { a: 1 });
      await put("1", { a: 2 });
      await fetch(`${home.url}/api/states/sensor.short_lived`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${home.token}` },
      });
      const nowUs = Date.now() * 1000;
      const window = { fromUs: nowUs - 60_000_000, toUs: nowUs + 60_000_000 };
      const rows = async () =>
        (await session.getHistory({ entityIds: ["sensor.short_lived"], ...window })).get("sensor.short_lived") ?? [];
      await expect.poll(async () => (await rows()).length, { timeout: 20_000 }).toBe(3);
      const [first, second, gone] = await rows();
      expect([first?.state, second?.state, gone?.state]).toEqual(["1", "1", null]);
      expect(second?.lastChangedUs).toBe(first?.lastUpdatedUs);
      expect(second?.attributes).toMatchObject({ a: 2 });
      expect(await session.getRecorder()).toEqual({ isRecording: true, backlog: 0 });
    });

    it("never gets the same number twice from us, also after an error", async () => {
      const session = await connect();
      await expect(session.command({ type: "history/history_during_period" })).rejects.toThrow("invalid_format");
      await expect(session.command({ type: "ping" })).resolves.toBeUndefined();
      await expect(session.getStates()).resolves.not.toHaveLength(0);
    });

    it("is found to hang: the session ends with a reason, though the connection stands", async () => {
      const quick = { pingIntervalMs: 200, pingTimeoutMs: 300 };
      const options = { url: home.url, token: home.token, clock: systemClock, ...quick };
      const session = await createHomeAssistant(options).connect();
      process.kill(home.pid, "SIGSTOP");
      try {
        expect((await session.closed).reason).toContain("no answer to a ping within 300 ms");
      } finally {
        process.kill(home.pid, "SIGCONT");
      }
      await expect((await connect()).getConfig()).resolves.toMatchObject({ state: "RUNNING" });
    });

    it("is cut off by a power cut: the session ends with a reason, and the home comes back", async () => {
      const session = await connect();
      await stopPeer(home.dir, ["--kill"]);
      await expect(session.closed).resolves.toMatchObject({ code: 1006, reason: "connection lost" });
      await home.begin();
      await expect((await connect()).getConfig()).resolves.toMatchObject({ state: "RUNNING" });
    }, 120_000);
  });
}

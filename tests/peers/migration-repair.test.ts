import { afterAll, expect, it } from "vitest";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createRepairSources } from "../../lib/wiring/migration-repair-way.ts";
import { buildEvent } from "../support/events.ts";
import { influxql } from "../support/influxdb.ts";
import { migrationOf } from "../support/migrations.ts";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";

const folder = await peerFolder("influxdb");
const args = ["--dir", folder.dir, "--port", String(await freePort())];
const AT_US = Date.UTC(2026, 10, 22, 6) * 1000 + 7;

await describePeer(
  "the sources of a repair",
  () => startPeer("influxdb", args),
  ({ url }) => {
    afterAll(async () => {
      await stopPeer(folder.dir);
      await folder.remove();
    });

    it("give a row of InfluxDB with its attributes, which its comparison leaves out", async () => {
      await influxql(url, `CREATE DATABASE "home_assistant"`);
      const migration = migrationOf({}, { old: { kind: "influxdb", url } });
      const old = createOldSystem(migration.plan.old, {}, { clock: systemClock });
      const shared = { entityId: "sensor.power", domain: "sensor" };
      const taken = await old.write([
        buildEvent({ ...shared, atUs: AT_US, state: "12.5", attributes: { unit_of_measurement: "W", phase: "one" } }),
        buildEvent({ ...shared, atUs: AT_US + 1_000_000, state: "13.5", attributes: { unit_of_measurement: "W" } }),
        buildEvent({ entityId: "light.a", domain: "light", atUs: AT_US, state: "on", attributes: { effect: "rain" } }),
      ]);
      expect(taken).toMatchObject({ taken: 3, refused: [] });
      const [source] = createRepairSources({
        ...{ config: readConfig({}), migration, old, signal: new AbortController().signal },
      });
      expect(await source?.find("sensor.power", AT_US)).toMatchObject({
        ...{ entityId: "sensor.power", atUs: AT_US, state: "12.5", source: "import" },
        attributes: { unit_of_measurement: "W", phase: "one" },
      });
      expect(await source?.find("sensor.power", AT_US + 1)).toBeUndefined();
      expect(await source?.find("light.a", AT_US)).toMatchObject({ state: "on", attributes: { effect: "rain" } });
      await old.close();
    });
  },
);

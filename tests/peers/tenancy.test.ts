import { afterAll, describe } from "vitest";
import { foreignHomesConformance } from "../conformance/foreign-homes.ts";
import { openConformanceStore } from "../support/influxdb.ts";
import { describePeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";

const { dir, remove } = await peerFolder("influxdb");

await describePeer(
  "homes apart in a real InfluxDB",
  () => startPeer("influxdb", ["--dir", dir]),
  ({ url, version }) =>
    describe(`homes apart in InfluxDB ${version}`, () => {
      afterAll(async () => {
        await stopPeer(dir);
        await remove();
      });
      foreignHomesConformance("influxdb", () => openConformanceStore(url), { every: 3 });
    }),
);

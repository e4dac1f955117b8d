import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamodbClientAt } from "../support/dynalite.ts";
import { keptEvents, relayOf, sentEvents, sentUntil, subscribedSince } from "../support/embedded.ts";
import { sqsClientAt } from "../support/fauxqs.ts";
import { describePeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { newDataFolder, type RunningStack, removeData, startStack, until } from "../support/stack.ts";

const { dir, remove } = await peerFolder("localstack-start");

await describePeer(
  "npm start with the queues and tables of LocalStack",
  () => startPeer("localstack", ["--dir", dir]),
  ({ url, version }) =>
    describe(`npm start with the queues and tables of LocalStack ${version}`, () => {
      const dataFolder = newDataFolder();
      let stack: RunningStack;
      let since = "";
      const start = () =>
        startStack({
          dataFolder,
          args: ["--stack", "localstack", "--rate", "20"],
          env: { AWS_ENDPOINT_URL: url },
          readyMs: 120_000,
        });
      beforeAll(async () => {
        stack = await start();
        since = await subscribedSince(stack);
      }, 180_000);
      afterAll(async () => {
        await stack?.kill();
        await stopPeer(dir);
        await remove();
        removeData(dataFolder);
      }, 120_000);

      /** Everything that the home sent between two moments, and nothing else, event for event. */
      async function expectSame(from: string, to: string): Promise<readonly string[]> {
        const sent = sentEvents(dataFolder, from, to);
        const kept = () => keptEvents(stack, from, to);
        await until(kept, (found) => found.length >= sent.length, { deadlineMs: 90_000, everyMs: 500 }).catch(() => {});
        expect(await kept()).toEqual(sent);
        return sent;
      }
      const sentSince = (from: string, count: number) =>
        until(
          async () => sentEvents(dataFolder, from, "9999").length,
          (sent) => sent >= count,
          { deadlineMs: 60_000 },
        );

      it("starts no queues and tables of its own", async () => {
        const names = stack.parts().map(({ name }) => name);
        expect(names.toSorted()).toEqual(["functions", "home", "relay"]);
        const { QueueUrls } = await sqsClientAt(url).call<{ QueueUrls: string[] }>("ListQueues", {});
        const queues = QueueUrls.map((one) => one.split("/").at(-1)).toSorted();
        const wanted = ["analysis", "events", "index", "store"].flatMap((name) => [name, `${name}-dead`]);
        expect(queues).toEqual(wanted.map((name) => `hearthline-dev-${name}`).toSorted());
        const { TableNames } = await dynamodbClientAt(url).call<{ TableNames: string[] }>("ListTables", {});
        expect(TableNames).toEqual(["hearthline-dev-index"]);
      }, 60_000);

      it("brings event for event what the simulated home sends", async () => {
        await sentSince(since, 100);
        expect((await expectSame(since, sentUntil(dataFolder))).length).toBeGreaterThan(50);
      }, 180_000);

      it("ends on Ctrl-C and goes on with all data, the same relay and ledger", async () => {
        const before = await relayOf(stack);
        expect(await stack.stop()).toBe(0);
        const lastSent = sentUntil(dataFolder);
        stack = await start();
        await expectSame(since, lastSent);
        const again = await subscribedSince(stack);
        await sentSince(again, 40);
        await expectSame(again, sentUntil(dataFolder));
        expect((await relayOf(stack)).last_sequence).toBeGreaterThan(before.last_sequence);
        const { parts } = await stack.get<{ parts: { kind: string; ledger?: object }[] }>("/health");
        const ledgers = parts.flatMap(({ ledger }) => ledger ?? []);
        expect(ledgers).toEqual([expect.objectContaining({ lost_records: 0, rejected: 0 })]);
        expect(await stack.stop()).toBe(0);
      }, 300_000);
    }),
);

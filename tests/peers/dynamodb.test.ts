import { afterAll, describe } from "vitest";
import { tableConformance } from "../conformance/table-adapters.ts";
import { describePeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";

// Amazon's own emulator, alone and as LocalStack drives it.
for (const peer of ["dynamodb-local", "localstack"]) {
  const { dir, remove } = await peerFolder(peer);
  await describePeer(
    `the table in ${peer}`,
    () => startPeer(peer, ["--dir", dir]),
    ({ url, version }) =>
      describe(`the table in ${peer} ${version}`, () => {
        afterAll(async () => {
          await stopPeer(dir);
          await remove();
        });
        tableConformance(() => url);
      }),
  );
}

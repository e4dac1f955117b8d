import { afterAll, describe } from "vitest";
import { sqsConformance } from "../conformance/sqs-adapter.ts";
import { sqsClientAt } from "../support/fauxqs.ts";
import { describePeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";

for (const peer of ["elasticmq", "localstack"]) {
  const { dir, remove } = await peerFolder(peer);
  await describePeer(
    `SQS in ${peer}`,
    () => startPeer(peer, ["--dir", dir]),
    ({ url, version }) =>
      describe(`SQS in ${peer} ${version}`, () => {
        afterAll(async () => {
          await stopPeer(dir);
          await remove();
        });
        sqsConformance(() => sqsClientAt(url));
      }),
  );
}

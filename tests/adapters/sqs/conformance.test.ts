import { afterAll, beforeAll, describe } from "vitest";
import { sqsConformance } from "../../conformance/sqs-adapter.ts";
import { startFauxqsServer } from "../../support/fauxqs.ts";

describe("SQS in fauxqs", () => {
  let server: Awaited<ReturnType<typeof startFauxqsServer>>;
  beforeAll(async () => {
    server = await startFauxqsServer();
  });
  afterAll(() => server.stop());
  sqsConformance(() => server.client, { takesAstralBodies: false });
});

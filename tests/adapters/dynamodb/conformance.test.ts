import { afterAll, beforeAll, describe } from "vitest";
import { tableConformance } from "../../conformance/table-adapters.ts";
import { startDynaliteServer } from "../../support/dynalite.ts";

describe("the table in dynalite", () => {
  let server: Awaited<ReturnType<typeof startDynaliteServer>>;
  beforeAll(async () => {
    server = await startDynaliteServer();
  });
  afterAll(() => server.stop());
  tableConformance(() => server.url);
});

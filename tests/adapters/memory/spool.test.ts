import { createMemorySpool } from "../../../lib/adapters/memory/spool.ts";
import { spoolConformance } from "../../conformance/spool.ts";

spoolConformance("memory", () => ({
  open: (setup) => createMemorySpool({ ...setup, relayId: "relay-1" }),
  cleanUp: async () => {},
}));

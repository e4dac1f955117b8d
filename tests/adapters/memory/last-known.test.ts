import { createMemoryLastKnown } from "../../../lib/adapters/memory/last-known.ts";
import { lastKnownConformance } from "../../conformance/last-known.ts";

lastKnownConformance("the memory", async () => {
  const store = createMemoryLastKnown();
  return { again: () => store };
});

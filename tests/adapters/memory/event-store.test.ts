import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import { eventStoreConformance } from "../../conformance/event-store.ts";

eventStoreConformance("memory", async () => {
  const store = createMemoryEventStore();
  return { store, reopen: async () => store, dispose: () => store.close() };
});

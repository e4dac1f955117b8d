import { createMemoryQueue } from "../../../lib/adapters/memory/queue.ts";
import { queueConformance } from "../../conformance/queue.ts";

queueConformance(async () => {
  const queue = createMemoryQueue();
  return { queue, received: async () => queue.take() };
});

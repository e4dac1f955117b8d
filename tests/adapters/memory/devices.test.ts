import { createMemoryDeviceIndex } from "../../../lib/adapters/memory/device-index.ts";
import { createMemoryHealthMemory } from "../../../lib/adapters/memory/health-memory.ts";
import { createMemoryHomeDirectory } from "../../../lib/adapters/memory/homes.ts";
import { createMemoryJobStore } from "../../../lib/adapters/memory/jobs.ts";
import { createMemoryTokenStore } from "../../../lib/adapters/memory/tokens.ts";
import { deviceIndexConformance } from "../../conformance/device-index.ts";
import { healthMemoryConformance } from "../../conformance/health-memory.ts";
import { homeDirectoryConformance } from "../../conformance/home-directory.ts";
import { jobStoreConformance } from "../../conformance/job-store.ts";
import { tokenStoreConformance } from "../../conformance/token-store.ts";

let number = 0;
deviceIndexConformance(async () => ({ index: createMemoryDeviceIndex(), homeId: () => `home-${++number}` }));
homeDirectoryConformance(async () => {
  const homes = createMemoryHomeDirectory();
  return { homes, keys: homes.keys };
});
tokenStoreConformance(async (clock) => createMemoryTokenStore(clock));
jobStoreConformance(async () => createMemoryJobStore());
healthMemoryConformance(async () => createMemoryHealthMemory());

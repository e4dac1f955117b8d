import { createMemoryDisplayStore } from "../../../lib/adapters/memory/display.ts";
import { displayStoreConformance } from "../../conformance/display-store.ts";

displayStoreConformance(async () => createMemoryDisplayStore());

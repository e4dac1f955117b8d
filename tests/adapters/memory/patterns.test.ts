import { createMemoryPatternStore } from "../../../lib/adapters/memory/patterns.ts";
import { patternStoreConformance } from "../../conformance/pattern-store.ts";

patternStoreConformance(async () => createMemoryPatternStore());

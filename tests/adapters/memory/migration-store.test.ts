import { createMemoryMigrationStore } from "../../../lib/adapters/memory/migration-store.ts";
import { migrationStoreConformance } from "../../conformance/migration-store.ts";

migrationStoreConformance(async () => createMemoryMigrationStore());

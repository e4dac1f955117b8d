/** A home in one file: written while events flow, proved without a store, put back into any. docs/backup.md describes the file. */
export { type BackupCreated, createBackup, type Settling } from "./create.ts";
export { type BackupRestored, restoreBackup } from "./restore.ts";
export { type BackupContents, type BackupProgress, type SealedContents, verifyBackup } from "./verify.ts";

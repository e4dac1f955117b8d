import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Written beside, synced and renamed: the file is there whole, or as it was. Mode 600. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.new`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(beside, "w", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (thrown) {
    await rm(beside, { force: true }).catch(() => {});
    throw thrown;
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncFolder(dirname(path));
}

/** So that the new name is durable too. Windows cannot open a folder; there the rename has to be enough. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

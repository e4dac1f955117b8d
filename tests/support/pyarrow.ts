import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { PeerUnavailable, run } from "./peers.ts";

/** @throws PeerUnavailable */
export const pythonWithPyarrow = (): Promise<string> => pythonWith("pyarrow", "26.0.1");

/** A Python with this package, installed beside the peers at the first use. @throws PeerUnavailable */
export async function pythonWith(name: string, version: string): Promise<string> {
  const home = process.env.HEARTHLINE_PEERS ?? join(homedir(), ".cache", "hearthline-peers");
  const folder = join(home, `${name}-${version}`);
  const python = join(folder, "bin", "python");
  try {
    if (!existsSync(join(folder, "installed"))) {
      await run("python3", ["-m", "venv", folder]);
      await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `${name}==${version}`]);
      await run(python, ["-c", `open(${JSON.stringify(join(folder, "installed"))}, "w").close()`]);
    }
  } catch (thrown) {
    throw new PeerUnavailable((thrown as Error).message);
  }
  return python;
}

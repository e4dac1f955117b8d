import { fork } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";

/** The small old pipeline of local/legacy in a process of its own, so that its work is not taken for ours. */
export async function startLegacy(folder: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const child = fork(resolve(import.meta.dirname, "../../local/legacy/main.ts"), ["--data", join(folder, "legacy")]);
  const [{ url }] = (await once(child, "message")) as [{ readonly url: string }];
  return {
    url,
    stop: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

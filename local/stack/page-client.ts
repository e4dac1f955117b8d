import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../lib/base/log.ts";

/** Makes the page's client, one script, in the data folder, and names its file. Undefined: it could not be made, and the page is a status page. */
export async function makePageClient(dataFolder: string, log: Logger): Promise<string | undefined> {
  try {
    // Loaded when it is needed: whoever only reads queues and tables does without a bundler.
    const { bundlePage } = await import("../../serverless/page-bundle.cjs");
    const text = await bundlePage();
    const file = join(dataFolder, "page.js");
    mkdirSync(dataFolder, { recursive: true });
    // Whole or not at all: a request may read it at any moment.
    writeFileSync(`${file}.${process.pid}`, text);
    renameSync(`${file}.${process.pid}`, file);
    return file;
  } catch (thrown) {
    log.warn("the page's client could not be made: the page shows how things are, and no more", { error: thrown });
    return undefined;
  }
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { stopPeer } from "./peers.ts";

export type BrowserContext = Parameters<Browser["newContext"]>[0];

export interface Watched {
  /** The one that `open` has opened. */
  readonly page: Page;
  readonly hasPage: boolean;
  open(url: string, context?: BrowserContext): Promise<void>;
  /** Where a picture of this name goes: HEARTHLINE_TEST_PICTURES keeps it. */
  pathOf(name: string): string;
  /** What the browser itself reports and is as it should be: everything that holds this text. */
  expectComplaint(text: string): void;
}

/**
 * A browser for a suite, with hooks of its own: to be called in a `describe`, after the hooks that close what it looks at (they run after its own). A page that
 * complains of anything else than what was expected fails its test.
 */
export function watchBrowser(
  url: string,
  { dir, remove }: { readonly dir: string; readonly remove: () => Promise<void> },
): Watched {
  const kept = process.env.HEARTHLINE_TEST_PICTURES;
  let browser: Browser;
  let pictures: string;
  let page: Page | undefined;
  let said: string[] = [];
  beforeAll(async () => {
    browser = await chromium.connectOverCDP(url);
    pictures = kept ?? (await mkdtemp(join(tmpdir(), "hearthline-pictures-")));
  });
  afterAll(async () => {
    await browser.close();
    await stopPeer(dir);
    await remove();
    if (!kept) await rm(pictures, { recursive: true, force: true });
  });
  beforeEach(() => {
    said = [];
  });
  afterEach(async () => {
    await page?.context().close();
    expect(said).toEqual([]);
  });
  return {
    get page() {
      if (!page) throw new Error("No page was opened.");
      return page;
    },
    get hasPage() {
      return page !== undefined && !page.isClosed();
    },
    async open(address, context = {}) {
      page = await (await browser.newContext(context)).newPage();
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") said.push(message.text());
      });
      page.on("pageerror", (error) => said.push(error.message));
      await page.goto(address);
    },
    pathOf: (name) => join(pictures, `${name}.png`),
    expectComplaint(text) {
      said = said.filter((each) => !each.includes(text));
    },
  };
}

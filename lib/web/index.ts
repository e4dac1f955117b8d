/** The door of the pages' room: it sees only what the API answers, and gives whole pages. */
import type { Pages } from "../api/index.ts";
import type { RelayHealth } from "../relay/index.ts";
import { docsPage } from "./docs-page.ts";
import { homePage } from "./home-page.ts";
import { livePart } from "./live.ts";
import { relayPage, relayPart } from "./relay-page.ts";
import { reportPage } from "./report-page.ts";

/** The pages, server-rendered, self-contained, everything escaped. */
export const pages: Pages = {
  home: homePage,
  live: (model) => livePart(model).text,
  docs: docsPage,
  report: reportPage,
};

/** The relay's own page, whole and its part that changes: server-rendered, self-contained, everything escaped; every address in it is relative. */
export const relayPages = { page: relayPage, part: (health: RelayHealth) => relayPart(health).text };

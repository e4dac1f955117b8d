/** The door of the pages' room: it sees only what the API answers, and gives whole pages. */
import type { Pages } from "../api/index.ts";
import { docsPage } from "./docs-page.ts";
import { homePage } from "./home-page.ts";
import { livePart } from "./live.ts";

/** The pages, server-rendered, self-contained, everything escaped. */
export const pages: Pages = { home: homePage, live: (model) => livePart(model).text, docs: docsPage };

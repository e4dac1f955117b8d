import { createHash } from "node:crypto";
import type { Page } from "../api/index.ts";
import { Html, html } from "./html.ts";
import { STYLE } from "./style.ts";

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

interface PolicyParts {
  readonly style: string;
  readonly script: string | undefined;
  readonly client: boolean;
  readonly framedBy: "none" | "self";
}

/** Only this very style and script may run, nothing may be loaded (but the client, from where the page comes from), and nobody may frame the page but `framedBy`. */
function policyOf({ style, script, client, framedBy }: PolicyParts): string {
  const scripts = [...(script === undefined ? [] : [hashOf(script)]), ...(client ? ["'self'"] : [])];
  return [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    ...(scripts.length === 0 ? [] : [`script-src ${scripts.join(" ")}`, "connect-src 'self'"]),
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors '${framedBy}'`,
  ].join("; ");
}

/** A hearth with its flame, as the tab shows it. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%23c8501e'/%3E%3Cpath d='M16 5c1 4 6 6 6 12a6 6 0 0 1-12 0c0-3 2-4 2-7 2 1 3 2 3 4 1-2 2-5 1-9z' fill='%23fff4e6'/%3E%3C/svg%3E";

export interface DocumentParts {
  readonly title: string;
  readonly body: Html;
  readonly script?: string;
  /** The address of a script of the same origin, run when the document is there. */
  readonly client?: string | undefined;
  /** Beside the style of all pages. */
  readonly style?: string;
  readonly head?: Html;
  /** Who may show the page in a frame: nobody, or pages of the same origin. */
  readonly framedBy?: "none" | "self";
}

/** One whole document with its policy. */
export function documentPage(parts: DocumentParts): Page {
  const { title, body, script, client, head, framedBy = "none" } = parts;
  const style = STYLE + (parts.style ?? "");
  // The two constants are put in as they are: their hashes must fit to the letter.
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${ICON}">
${head}${client !== undefined && html`<script src="${client}" defer></script>\n`}<style>${new Html(style)}</style>
</head>
<body>
${body}${script !== undefined && html`<script>${new Html(script)}</script>`}
</body>
</html>
`;
  return { html: page.text, policy: policyOf({ style, script, client: client !== undefined, framedBy }) };
}

/** The sign before the name. */
export const LOGO = new Html(
  '<svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M16 5c1 4 6 6 6 12a6 6 0 0 1-12 0c0-3 2-4 2-7 2 1 3 2 3 4 1-2 2-5 1-9z"/></svg>',
);

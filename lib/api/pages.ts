import type { toWireEvent } from "../event/index.ts";
import type { Health } from "./health-shapes.ts";
import type { WireMigrationReport } from "./wire.ts";

/** What the live page shows; everything in it is what the API's routes answer. */
export interface LiveModel {
  readonly homeName: string;
  /** IANA; and the local time at which a day of the home begins: `03:00`. */
  readonly timeZone: string;
  readonly dayStart: string;
  readonly health: Health;
  /** Newest first. Null: the store does not answer. */
  readonly events: readonly ReturnType<typeof toWireEvent>[] | null;
  /** Names by area id and by entity id. */
  readonly areaNames: ReadonlyMap<string, string>;
  readonly entityNames: ReadonlyMap<string, string>;
}

/** A whole page and the Content-Security-Policy under which exactly its own script and style run. */
export interface Page {
  readonly html: string;
  readonly policy: string;
}

/** What makes of the page more than a status: its client, one script. */
export interface PageClient {
  readonly text: string;
  /** Changes with the text. */
  readonly version: string;
}

/** How pages are drawn. The rooms behind this one draw; wiring joins them. */
export interface Pages {
  /**
   * `token`: what the page's script may use to ask for news. Without `live` nobody is signed in. `client`: the address of the client's script; without one
   * the page says how things are, and no more.
   */
  home(model: { readonly live?: LiveModel; readonly token?: string; readonly client?: string }): Page;
  /** The part of the page that changes, as HTML. */
  live(model: LiveModel): string;
  /** A migration's report, whole in one file. */
  report(report: WireMigrationReport): Page;
  /** The OpenAPI document and the codes of errors, readable. */
  docs(document: object, problems: Readonly<Record<string, readonly [status: number, title: string]>>): Page;
}

import { hash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { DeviceIndex, HomeDirectory, RelayStatus } from "../devices/ports.ts";
import type { OutboxMessage } from "../event/index.ts";
import type { Suggestion, SuggestionStore } from "../suggestions/ports.ts";
import { type Components, componentsOf, discoveryMessages, formOf, removalMessages, type Shown } from "./discovery.ts";
import { figuresTopic, suggestionsTopic } from "./names.ts";
import type { Outbox } from "./outbox.ts";
import type { DisplayStore, Figures, Told } from "./ports.ts";
import { stateMessage, suggestionsPayload } from "./texts.ts";

export interface DisplayOptions {
  readonly told: DisplayStore;
  readonly outbox: Pick<Outbox, "add">;
  readonly suggestions: Pick<SuggestionStore, "list">;
  readonly homes: Pick<HomeDirectory, "get">;
  readonly index: Pick<DeviceIndex, "relayStatuses">;
  readonly clock: Pick<Clock, "nowMs">;
  /** Hearthline's own pages, for links. */
  readonly url?: string;
}

/** What Home Assistant shows of a home's suggestions and figures: made known over the outbox, by MQTT discovery. */
export interface Display {
  /** Whether what is told can arrive: not where every relay of the home says that it knows no broker. Of older relays, and before the first one, it is taken that it can. */
  reaches(homeId: string): Promise<boolean>;
  /**
   * Tells what is not as it was told last; with `again` everything: brokers forget what they should have kept. Gives how many messages that took.
   * Tells nothing where nothing can arrive: once there is a broker, the next night tells all.
   * @throws `outbox_full` and fate-`retry` service errors; safe to repeat
   */
  show(homeId: string, news?: { readonly figures?: Figures; readonly again?: boolean }): Promise<number>;
  /** `show` with `again`, unless nothing was ever told or all of it was lately: for a Home Assistant that has come back. */
  refresh(homeId: string): Promise<number>;
}

/** A night and some hours: the next night tells all again. */
const EXPIRES_SECONDS = 30 * 3_600;
/** So long what is gone is said to be gone: a relay may be away when it is said first. */
const GONE_KEPT_MS = 7 * 86_400_000;
const REFRESH_EVERY_MS = 10 * 60_000;

export function createDisplay(options: DisplayOptions): Display {
  const { told, outbox, index, clock } = options;

  const reaches = async (homeId: string): Promise<boolean> => canReach(await index.relayStatuses(homeId));

  async function show(homeId: string, { figures, again = false }: Parameters<Display["show"]>[1] = {}) {
    let sent = 0;
    if (!(await reaches(homeId))) return sent;
    await told.change(homeId, async (before) => {
      const { messages, after } = await toTell(homeId, { before, figures, again }, options);
      for (const message of messages)
        await outbox.add({ kind: "mqtt", homeId, expiresInSeconds: EXPIRES_SECONDS, message });
      sent = messages.length;
      return after;
    });
    return sent;
  }

  return {
    reaches,
    show,
    async refresh(homeId) {
      const before = await told.get(homeId);
      if (!before || clock.nowMs() - before.allAtMs < REFRESH_EVERY_MS) return 0;
      return show(homeId, { again: true });
    },
  };
}

/** So long after another's last word a relay has been replaced: each speaks every few minutes. */
const REPLACED_MS = 86_400_000;

/** Whether what is asked of a home's broker can be done by one of its relays. One that is away for long may come back as it was, unless another has come meanwhile. */
export function canReach(relays: readonly Pick<RelayStatus, "publishes" | "at">[]): boolean {
  const newestMs = Math.max(...relays.map(({ at }) => Date.parse(at)));
  const present = relays.filter(({ at }) => newestMs - Date.parse(at) <= REPLACED_MS);
  return present.length === 0 || present.some(({ publishes }) => publishes !== false);
}

interface News {
  readonly before: Told | undefined;
  readonly figures: Figures | undefined;
  readonly again: boolean;
}

async function toTell(homeId: string, { before, figures, again }: News, options: DisplayOptions) {
  const { suggestions, homes, clock, url } = options;
  const [all, home] = await Promise.all([suggestions.list(homeId), homes.get(homeId)]);
  const display = { homeId, haVersion: home?.haVersion, suggestions: all.filter(isShown), ...(url && { url }) };
  const form = formOf(display.haVersion);
  const components = componentsOf(display);
  const isOtherForm = before !== undefined && before.form !== form;
  const gone = isOtherForm ? {} : goneOf(components, before, clock.nowMs());
  const platforms = Object.fromEntries(Object.entries(gone).map(([id, { platform }]) => [id, platform]));
  const latest = newer(figures, before?.figures);
  const wanted = [
    ...discoveryMessages(display, { components, gone: platforms }),
    stateMessage(suggestionsTopic(homeId), suggestionsPayload(display.suggestions, url)),
    ...(latest ? [stateMessage(figuresTopic(homeId), JSON.stringify(latest))] : []),
  ];
  const news = wanted.filter((message) => again || before?.digests[message.topic] !== digestOf(message));
  const messages = [...(isOtherForm ? removalMessages(homeId, before.form, before.shown) : []), ...news];
  const after: Told = {
    form,
    shown: shownOf(components),
    gone,
    digests: Object.fromEntries(wanted.map((message) => [message.topic, digestOf(message)])),
    ...(latest && { figures: latest }),
    allAtMs: again || before === undefined ? clock.nowMs() : before.allAtMs,
  };
  return { messages, after };
}

/** A suggestion that waits for a word of its people. */
const isShown = ({ rank, status }: Suggestion): boolean => rank !== undefined && status === "new";

const shownOf = (components: Components): Shown =>
  Object.fromEntries([...components].map(([id, { platform }]) => [id, platform]));

function goneOf(components: Components, before: Told | undefined, nowMs: number): Told["gone"] {
  const now = Object.entries(before?.shown ?? {}).map(([id, platform]) => [
    id,
    { platform, untilMs: nowMs + GONE_KEPT_MS },
  ]);
  const all = { ...before?.gone, ...Object.fromEntries(now) } as Told["gone"];
  return Object.fromEntries(Object.entries(all).filter(([id, { untilMs }]) => !components.has(id) && untilMs > nowMs));
}

/** A job of an older day says nothing about today. */
const newer = (figures: Figures | undefined, known: Figures | undefined): Figures | undefined =>
  figures && known && figures.date < known.date ? known : (figures ?? known);

const DIGEST_CHARACTERS = 16;
const digestOf = ({ payload }: OutboxMessage): string => hash("sha256", payload, "hex").slice(0, DIGEST_CHARACTERS);

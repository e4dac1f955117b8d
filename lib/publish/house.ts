import type { Clock } from "../base/clock.ts";
import { isHearthlineError } from "../base/errors.ts";
import type { DeviceIndex, Seen } from "../devices/ports.ts";
import { automationSchema } from "../event/index.ts";
import { type AcceptOutcome, type Suggestion, type SuggestionStore, withOutcome } from "../suggestions/index.ts";
import type { Display } from "./display.ts";
import type { Outbox } from "./outbox.ts";
import type { OutboxItem } from "./ports.ts";
import { isPressed, mayBePressed, pressesOf, settlePresses } from "./press.ts";

export interface HouseOptions {
  readonly suggestions: SuggestionStore;
  readonly outbox: Pick<Outbox, "add">;
  readonly display: Display;
  readonly index: Pick<DeviceIndex, "list">;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What is done in the house about what people decide, and what the house says of it. Every method: @throws fate-`retry` service errors; safe to repeat. */
export interface House {
  /** After a decision: an accepted automation is handed to the relay, and buttons that are of no use go. */
  tell(suggestion: Suggestion): Promise<void>;
  /** What has become of an item of the outbox: of an automation, its suggestion's outcome. */
  ended(item: OutboxItem): Promise<void>;
  /** Events of the house: presses of our buttons decide; a Home Assistant that has come back is told everything. */
  noticed(homeId: string, news: { readonly seen: ReadonlyMap<string, Seen>; readonly isBack: boolean }): Promise<void>;
}

/** A relay may be away for long, and an accepted automation is wanted all the same. */
const AUTOMATION_EXPIRES_SECONDS = 7 * 86_400;

export function createHouse({ suggestions, outbox, display, index, clock }: HouseOptions): House {
  const nowIso = () => new Date(clock.nowMs()).toISOString();

  const note = (homeId: string, isMeant: (one: Suggestion) => boolean, outcome: AcceptOutcome, detail?: string) =>
    suggestions.change(homeId, (there) =>
      there.map((one) =>
        isMeant(one)
          ? withOutcome(one, outcome, { at: nowIso(), by: "relay", ...(detail !== undefined && { detail }) })
          : one,
      ),
    );

  async function tell(suggestion: Suggestion): Promise<void> {
    await handOver(suggestion);
    await display.show(suggestion.homeId).catch(unlessFull);
  }

  /** @throws but not `outbox_full`: the night asks again */
  async function handOver({ homeId, id, status, outcome, automation, automationId }: Suggestion): Promise<void> {
    if (status !== "accepted" || outcome !== "waiting" || !automation || automationId === undefined) return;
    const checked = automationSchema.safeParse(automation);
    if (!checked.success) {
      const detail = "The suggestion is of an older Hearthline, and its automation is not written any more.";
      await note(homeId, (one) => one.id === id, "refused", detail);
      return;
    }
    const asked = { id: automationId, config: checked.data };
    await outbox
      .add({ kind: "automation", homeId, expiresInSeconds: AUTOMATION_EXPIRES_SECONDS, automation: asked })
      .catch(unlessFull);
  }

  return {
    tell,

    async ended({ homeId, automation, status, error }) {
      if (!automation || (status !== "delivered" && status !== "failed")) return;
      const isMeant = (one: Suggestion) => one.automationId === automation.id && isOpen(one, status);
      if (automation.removes) return;
      await (status === "delivered"
        ? note(homeId, isMeant, "written")
        : note(homeId, isMeant, "refused", error ?? "The relay did not say why."));
    },

    async noticed(homeId, { seen, isBack }) {
      if (mayBePressed(seen)) {
        const presses = pressesOf(homeId, seen, await index.list(homeId, "entities"));
        if (presses.length > 0) await decide(homeId, presses);
      }
      if (isBack) await display.refresh(homeId).catch(unlessFull);
    },
  };

  async function decide(homeId: string, presses: ReturnType<typeof pressesOf>): Promise<void> {
    const all = await suggestions.change(homeId, (there) => there.map((one) => settlePresses(homeId, one, presses)));
    const pressed = all.filter((one) => isPressed(homeId, one, presses));
    for (const one of pressed) await tell(one);
  }
}

/** What an item's end may still change: later the house itself is looked at. `delivered` outranks `failed`, whoever says it first. */
const isOpen = ({ outcome }: Suggestion, status: "delivered" | "failed"): boolean =>
  outcome === "waiting" || (status === "delivered" && outcome === "refused");

/** An outbox that takes no more is the night's to fill again; a decision has been kept all the same. */
function unlessFull(thrown: unknown): void {
  if (!isHearthlineError(thrown) || thrown.code !== "outbox_full") throw thrown;
}

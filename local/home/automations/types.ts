import type { RawAutomation } from "./config.ts";

/** The automations that were written over the configuration API, as JSON, by id: `automations.yaml`. */
export type AutomationsFile = Readonly<Record<string, RawAutomation>>;

/** Automations that were written while the home ran: they are entities, they run, they go. Those of the house itself are made by its generator. */
export interface Automations {
  /** As it was written, with its id; undefined: there is none. */
  get(id: string): RawAutomation | undefined;
  /** Takes it, in singular or plural keys, and reloads. @throws Error with what Home Assistant would say */
  write(id: string, config: RawAutomation): void;
  /** False when there is none. */
  remove(id: string): boolean;
  /** Home Assistant has started: all of them appear. */
  load(): void;
  /** Services of the domain `automation`; false: it is none of these entities. */
  call(verb: string, entityId: string): boolean;
  /** For the next start. */
  file(): AutomationsFile;
}

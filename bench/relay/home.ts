import type { HaEvent, HaSession, HomeAssistant } from "../../lib/relay/ports.ts";

/** A Home Assistant that only fires: what it is given goes to whoever listens to `state_changed`, on the caller's turn, as a socket would. */
export interface FiringHome extends HomeAssistant {
  fire(event: HaEvent): void;
  /** Resolves when somebody listens. */
  readonly listened: Promise<void>;
}

export function createFiringHome(): FiringHome {
  const listened = Promise.withResolvers<void>();
  let listener: ((event: HaEvent) => void) | undefined;
  return {
    listened: listened.promise,
    fire: (event) => listener?.(event),
    connect: async () => {
      const closed = Promise.withResolvers<{ code: number; reason: string }>();
      const session: HaSession = {
        haVersion: "2026.11.0",
        closed: closed.promise,
        close: async () => closed.resolve({ code: 1000, reason: "" }),
        subscribeEvents: async (eventType, onEvent) => {
          if (eventType !== "state_changed") return;
          listener = onEvent;
          listened.resolve();
        },
        getStates: async () => [],
        getConfig: async () => ({ state: "RUNNING", version: "2026.11.0", location_name: "Home", time_zone: "UTC" }),
        getRegistry: async () => [],
        getHistory: async () => new Map(),
        getStatistics: async () => new Map(),
        getRecorder: async () => ({ isRecording: true, backlog: 0 }),
        getLogbook: async () => undefined,
        getCutOff: async () => undefined,
        command: async () => null,
      };
      return session;
    },
  };
}

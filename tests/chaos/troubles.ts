import type { SmallDisk } from "./disk.ts";
import type { Gate, GateState } from "./gate.ts";
import type { ChaosHome } from "./homes.ts";
import type { Line, LineState } from "./line.ts";
import type { ChaosPart } from "./part.ts";
import type { Fault, Trouble } from "./schedule.ts";

type Wanted = Extract<Fault, { kind: "trouble" }>;

/** How a trouble begins and ends; to end what has not begun changes nothing. */
interface Maker {
  readonly begin: (fault: Wanted) => void;
  readonly end: () => void;
}

export interface TroubledRig {
  readonly line: Line;
  readonly gate: Gate;
  readonly home: ChaosHome;
  readonly disk: SmallDisk;
  readonly relay: ChaosPart;
  readonly functions: ChaosPart;
  /** By how many milliseconds the relay's wall clock is off from now on. */
  readonly setClock: (offMs: number) => void;
}

export function createTroubles(rig: TroubledRig): Readonly<Record<Trouble, Maker>> {
  const { line, gate, home, disk, relay, functions, setClock } = rig;
  const stall = (part: Pick<ChaosPart, "signal">): Maker => ({
    begin: () => part.signal("SIGSTOP"),
    end: () => part.signal("SIGCONT"),
  });
  const onLine = (state: LineState): Maker => ({ begin: () => line.set(state), end: () => line.set("open") });
  const atGate = (state: GateState): Maker => ({ begin: () => gate.set(state), end: () => gate.set("open") });
  const atHome = (make: (fault: Wanted) => Readonly<Record<string, unknown>>): Maker => ({
    begin: (fault) => void home.fault(make(fault)),
    end: () => {},
  });
  return {
    "home-line-cut": onLine("cut"),
    "home-line-half-open": onLine("half-open"),
    "home-line-slow": onLine("slow"),
    "home-burst": atHome(({ amount }) => ({ fault: "burst", events: amount })),
    "home-restart": atHome(() => ({ fault: "restart", mode: "clean" })),
    "home-stall": stall(home),
    "home-clock-step": atHome(({ amount }) => ({ fault: "clock-step", seconds: amount })),
    "home-duplicate": atHome(() => ({ fault: "duplicate" })),
    "home-recorder-slow": atHome(({ amount, lastsMs }) => ({
      fault: "recorder-slow",
      rows_per_second: amount,
      seconds: lastsMs / 1000,
    })),
    "queue-line-cut": atGate("cut"),
    "queue-line-silent": atGate("silent"),
    "queue-line-answer-lost": atGate("answer-lost"),
    "queue-errors": atGate("errors"),
    "queue-throttles": atGate("throttles"),
    "relay-stall": stall(relay),
    "relay-disk-full": { begin: disk.fill, end: disk.free },
    "relay-clock-step": { begin: ({ amount }) => setClock(amount * 1000), end: () => setClock(0) },
    "functions-stall": stall(functions),
  };
}

import type { EventStore } from "../../store/ports.ts";
import type { OldLimits, OldSystem, Pointer } from "../ports.ts";
import type { Side } from "./authority.ts";
import { oldSide, type ReadSide } from "./old-side.ts";
import { rangeOfNew } from "./positions.ts";

/** The pipeline that a pointer names, the same object for the same address. It may throw: then OLD cannot be asked. */
export type OldOf = (
  pointer: Pointer,
) => Pick<OldSystem, "range" | "limits"> | Promise<Pick<OldSystem, "range" | "limits">>;

export interface Sides extends Readonly<Record<Side, ReadSide>> {
  /** Absent: OLD cannot be asked. */
  readonly limits?: OldLimits;
}

/** Both sides of a home that is moving, as reads are asked of them. Never rejects: a side that cannot be had rejects what it is asked. */
export async function sidesOf(
  store: Pick<EventStore, "range" | "aggregate">,
  old: () => ReturnType<OldOf>,
  signal?: AbortSignal,
): Promise<Sides> {
  try {
    const system = await old();
    const { limits } = system;
    return {
      old: oldSide(system, signal),
      new: {
        range: (query) => rangeOfNew(store, query, limits.precisionUs),
        aggregate: (query) => store.aggregate(query),
      },
      limits,
    };
  } catch (error) {
    const fail = () => Promise.reject(error);
    return { old: { range: fail, aggregate: fail }, new: store };
  }
}

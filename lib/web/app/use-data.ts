import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { ApiError, type Client } from "./client.ts";
import type { HomeClock } from "./day.ts";

export interface Session {
  readonly client: Client;
  readonly clock: HomeClock;
  /** Data of views that were shown before, so that they stand there at once when they are shown again. */
  readonly shown: Map<string, { readonly data: unknown; readonly atMs: number }>;
  nowMs(): number;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("A view is shown without a session.");
  return session;
}

export interface Data<T> {
  /** The last that came; undefined: nothing has come yet. */
  readonly data: T | undefined;
  /** When it came. */
  readonly atMs: number;
  /** Why the last attempt failed. */
  readonly trouble: unknown;
  readonly reload: () => void;
}

/** What a view shows is asked for again after so long, and when somebody comes back to the page. */
const AGAIN_MS = 60_000;
const AGAIN_AFTER_TROUBLE_MS = 10_000;

/** `key`: what decides the data; `load` is called again when it changes. */
export function useData<T>(key: string, load: (client: Client) => Promise<T>): Data<T> {
  const session = useSession();
  const [state, setState] = useState<{ key: string; trouble: unknown }>({ key, trouble: undefined });
  const [round, setRound] = useState(0);
  // `load` is a new function at every drawing; `key` says what it loads.
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => setRound((last) => last + 1);
    const settle = (trouble: unknown) => {
      if (isOver) return;
      setState({ key, trouble });
      if (trouble instanceof ApiError && trouble.status === 401)
        document.dispatchEvent(new CustomEvent("hearthline:refused"));
      timer = setTimeout(again, trouble === undefined ? AGAIN_MS : AGAIN_AFTER_TROUBLE_MS);
    };
    const onVisible = () => !document.hidden && again();
    document.addEventListener("visibilitychange", onVisible);
    if (!document.hidden)
      load(session.client).then(
        (data) => {
          session.shown.set(key, { data, atMs: session.nowMs() });
          settle(undefined);
        },
        (thrown: unknown) => settle(thrown ?? new Error("failed")),
      );
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [key, round, session]);
  const there = session.shown.get(key);
  return {
    data: there?.data as T | undefined,
    atMs: there?.atMs ?? 0,
    trouble: state.key === key ? state.trouble : undefined,
    reload: () => setRound((last) => last + 1),
  };
}

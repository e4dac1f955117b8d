import { HearthlineError, isHearthlineError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

/**
 * What the relay can do without: a token that is no administrator's is refused some of it. undefined: Home Assistant does not give it, and the log says so.
 * @throws `home_assistant_disconnected` when the session has ended: that is another matter
 */
export async function optional<T>(
  what: string,
  ask: () => Promise<T>,
  { isClosed, log }: { readonly isClosed: () => boolean; readonly log: Logger },
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (isClosed() || (isHearthlineError(thrown) && thrown.code === "home_assistant_disconnected")) {
      throw new HearthlineError("home_assistant_disconnected", messageOf(thrown), { cause: thrown });
    }
    log.warn(`Home Assistant does not give ${what}: the relay goes on without.`, { error: thrown });
    return undefined;
  }
}

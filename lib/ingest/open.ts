import { HearthlineError } from "../base/errors.ts";
import { type Envelope, type HomeKey, openEnvelope } from "../event/index.ts";
import type { HomeKeys } from "./ports.ts";

/** A message whose signature holds. */
export interface OpenedMessage {
  readonly envelope: Envelope;
  /** The key that signed it. */
  readonly key: HomeKey;
  /** One record each, as JSON text, not yet checked. */
  readonly lines: readonly string[];
}

/**
 * Finds the key that an envelope (`readEnvelope`) names, checks its signature and unfolds it.
 * @throws HearthlineError `envelope_home_unknown`; what `openEnvelope` throws; fate-`retry` errors of `keys`
 */
export async function openMessage(envelope: Envelope, keys: Pick<HomeKeys, "find">): Promise<OpenedMessage> {
  const key = await keys.find(envelope.home_id, envelope.key_id);
  if (!key) {
    throw new HearthlineError(
      "envelope_home_unknown",
      `The envelope names home "${envelope.home_id}" and key "${envelope.key_id}"; there is no such home, or it has no such key, or the key is retired.`,
    );
  }
  return { envelope, key, lines: openEnvelope(envelope, key) };
}

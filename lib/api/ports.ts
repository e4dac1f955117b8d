export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** A bearer token as it is kept: never the token itself, only the SHA-256 of it. */
export interface Token {
  readonly id: string;
  readonly homeId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the token's text, hex. */
  readonly hash: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
}

export interface TokenStore {
  findByHash(hash: string): Promise<Token | undefined>;
  list(homeId: string): Promise<readonly Token[]>;
  add(token: Token): Promise<void>;
  /** False when there was none. It works no more from the moment this resolves. */
  revoke(homeId: string, id: string): Promise<boolean>;
}

/** How full a queue is, as health and metrics show it. */
export interface QueueDepth {
  readonly name: string;
  readonly visible: number;
  readonly inFlight: number;
  readonly dead: number;
  readonly oldestSeconds?: number;
}

export interface QueueMonitor {
  depths(): Promise<readonly QueueDepth[]>;
}

/** Since when a part is in its state, kept so that it outlives a function. */
export interface HealthMemory {
  /** Notes the state seen now; gives since when it has been so. */
  note(homeOrFleet: string, part: string, state: string, at: string): Promise<string>;
}

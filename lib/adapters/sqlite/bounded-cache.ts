/**
 * Remembers values by text, for about as many characters of keys as it was given: what was used lately stays.
 * Two generations: when the young one is half of the bound, it becomes the old one, and the old one goes. Every operation is O(1).
 */
export class BoundedCache<V> {
  readonly #halfCharacters: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #youngCharacters = 0;

  constructor(maxCharacters: number) {
    this.#halfCharacters = maxCharacters / 2;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#youngCharacters + key.length > this.#halfCharacters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngCharacters = 0;
    }
    this.#young.set(key, value);
    this.#youngCharacters += key.length;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngCharacters = 0;
  }
}

/** The results of `work` on each value, in their order, at most so many at the same time. What one throws ends it; those under way go on unheard. */
export async function atOnce<T, R>(
  limit: number,
  values: readonly T[],
  work: (value: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(values.length);
  let next = 0;
  async function worker(): Promise<void> {
    while (next < values.length) {
      const index = next++;
      results[index] = await work(values[index] as T, index);
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, values.length) }, worker));
  return results;
}

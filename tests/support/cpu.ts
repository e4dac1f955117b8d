/**
 * What this process has computed since the timer was made, in milliseconds: the time that work takes of its own, however busy the machine is with others. For work that waits for
 * nothing.
 */
export function cpuTimer(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}

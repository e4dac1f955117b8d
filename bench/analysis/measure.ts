import type { Figures } from "../support/report.ts";

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Wall and processor time of some work, added up over pieces of it. */
export class Stopwatch {
  wallMs = 0;
  cpuMs = 0;

  time<T>(work: () => T): T {
    const end = this.begin();
    try {
      return work();
    } finally {
      end();
    }
  }

  begin(): () => void {
    const [wall, cpu] = [performance.now(), cpuMs()];
    return () => {
      this.wallMs += performance.now() - wall;
      this.cpuMs += cpuMs() - cpu;
    };
  }

  /** `NAME_ms` and `NAME_cpu_ms`. */
  figures(name: string): Figures {
    return { [`${name}_ms`]: this.wallMs, [`${name}_cpu_ms`]: this.cpuMs };
  }
}

export async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly watch: Stopwatch }> {
  const watch = new Stopwatch();
  const end = watch.begin();
  const value = await work();
  end();
  return { value, watch };
}

/** The most memory that this process has had. */
export const rssPeakMb = (): number => (process.resourceUsage().maxRSS * 1024) / 1e6;

/** What a measured process says of itself, on its standard output, once it is done. */

export type Measurement = {
  wallMs: number;
  /** User and system time of the whole process, all its threads, from the first submit to the last answer. */
  cpuMs: number;
  /** The same, from the process's start to the first submit. */
  startCpuMs: number;
  /** Highest resident memory of the process since its start, in MB. */
  peakMb: number;
};

/** Runs `work` and prints what it took. Fails loudly where the work does: a wrong answer has no speed. */
export async function measure(work: () => Promise<void>): Promise<void> {
  const startCpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const wallMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(startCpu);
  const measurement: Measurement = {
    wallMs,
    cpuMs: (cpu.user + cpu.system) / 1000,
    startCpuMs: (startCpu.user + startCpu.system) / 1000,
    peakMb: process.resourceUsage().maxRSS / 1024,
  };
  process.stdout.write(`${JSON.stringify(measurement)}\n`);
}

/** The measurement that a measured process prints to its standard output at its end. */

export type Measurement = {
  wallMs: number;
  /** User and system time of the whole process, all its threads, from the first submit to the last answer. */
  cpuMs: number;
  /** User and system time from the process's start to the first submit. */
  startCpuMs: number;
  /** Maximum resident memory of the process since its start, in MB. */
  peakMb: number;
};

/**
 * Runs `work` and prints its measurement. Fails loudly if the work does: the speed of a wrong answer is meaningless.
 */
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

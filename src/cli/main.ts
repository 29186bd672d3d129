/** Placeholder, to be overwritten: argv → exit code. */
export async function main(argv: string[]): Promise<number> {
  process.stdout.write(`deputy: not built yet (${argv.join(" ")})\n`);
  return 0;
}

/** A journal is forged with care: checksums and positions match. `journal verify` finds it; an honest journal is intact. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { checksumOf } from "../../../src/journal/sqlite/checksum.ts";
import { stepOf } from "../../support/end-to-end.ts";
import type { Round } from "./round.ts";

type Row = { seq: number; data: string; ordinal: number };
type Forge = (database: DatabaseSync, rows: readonly Row[], round: Round) => void;

const FORGERIES: Record<string, Forge> = {
  "another answer": (database, rows, { draw }) => {
    const { seq, data } = draw.pick(rows.filter((row) => row.data.includes("Done.")));
    database.prepare("UPDATE events SET data = ? WHERE seq = ?").run(data.replaceAll("Done.", "Gone."), seq);
  },
  "another time": (database, rows, { draw }) => {
    const { seq, data } = draw.pick(rows);
    const later = data.replace(/"at":(\d+)/, (_, at) => `"at":${Number(at) + 1}`);
    database.prepare("UPDATE events SET data = ?, at = at + 1 WHERE seq = ?").run(later, seq);
  },
  "an event removed": (database, rows, { draw }) => {
    database.prepare("DELETE FROM events WHERE seq = ?").run(draw.pick(rows.slice(0, -1)).seq);
  },
  "two events exchanged": (database, rows, { draw }) => {
    const [one, other] = draw.some(rows, 2);
    if (one === undefined || other === undefined) return;
    const update = database.prepare("UPDATE events SET data = ? WHERE seq = ?");
    update.run(one.data, other.seq);
    update.run(other.data, one.seq);
  },
  "an event doubled": (database, rows, { draw }) => {
    database
      .prepare(
        `INSERT INTO events (delegation_id, child_id, kind, at, data, ordinal, checksum, hash)
         SELECT delegation_id, child_id, kind, at, data, ordinal, checksum, hash FROM events WHERE seq = ?`,
      )
      .run(draw.pick(rows).seq);
  },
  "hashes emptied": (database) => database.exec("UPDATE events SET hash = zeroblob(32)"),
};

export async function attackByForgedJournal(round: Round): Promise<void> {
  const { draw, place } = round;
  round.configure();
  round.answerWith((request) =>
    stepOf(request) === 1 ? { toolCalls: [{ name: "list_dir", input: {} }] } : { text: "Done." },
  );
  const count = draw.whole(1, 3);
  const tasks = round.tasks(Array.from({ length: count }, (_, index) => ({ goal: `Order ${index}` })));
  await round.launch(["run", tasks, "--json"], { limits: ":" }).ended;
  const verify = () => round.launch(["journal", "verify", ...draw.pick([[], ["--json"]])], { bare: true }).ended;
  const honest = await verify();
  if (honest.code !== 0) round.breach({ kind: "lost", words: `an intact journal was found broken: ${honest.stdout}` });
  const name = draw.pick(Object.keys(FORGERIES));
  forge(join(place.state, "journal.sqlite"), name, round);
  if ((await verify()).code !== 1) round.breach({ kind: "change", words: `the journal was forged unseen: ${name}` });
}

function forge(path: string, name: string, round: Round): void {
  const database = new DatabaseSync(path);
  try {
    const all = "SELECT seq, data, ordinal FROM events ORDER BY seq";
    FORGERIES[name]?.(database, database.prepare(all).all() as Row[], round);
    database.exec(`UPDATE events SET ordinal = places.ordinal FROM (
      SELECT seq, row_number() OVER (PARTITION BY delegation_id ORDER BY seq) AS ordinal FROM events
    ) AS places WHERE places.seq = events.seq`);
    const update = database.prepare("UPDATE events SET checksum = ? WHERE seq = ?");
    for (const { seq, data, ordinal } of database.prepare(all).all() as Row[])
      update.run(checksumOf(data, ordinal), seq);
  } finally {
    database.close();
  }
}

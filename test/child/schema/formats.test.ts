/** `format`: what fits, what does not, and that neither takes more than linear time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FORMATS } from "../../../src/child/schema/formats.ts";

const CASES: Record<string, { fit: string[]; misfit: string[] }> = {
  date: {
    fit: ["2024-02-29", "2000-02-29", "2026-12-31"],
    misfit: ["2026-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "31.01.2026", ""],
  },
  time: {
    fit: ["12:30:00Z", "23:59:60Z", "00:59:60+01:00", "12:30:00.123-08:00"],
    misfit: ["12:30", "24:00:00Z", "12:30:60Z", "12:30:00"],
  },
  "date-time": {
    fit: ["2026-01-31T12:30:00Z", "2026-01-31t12:30:00.5+02:00"],
    misfit: ["tomorrow", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T25:00:00Z", "2026-01-31T12:30:00"],
  },
  duration: { fit: ["P1D", "P1Y2M3DT4H5M6S", "PT36H", "P2W"], misfit: ["P", "PT", "1D", "P1DT", "P1H", "P-1D"] },
  email: {
    fit: ["ada@example.com", "a.b+c@sub.example.org", "a@[192.0.2.1]"],
    misfit: ["ada", "@b.c", "a@", "a b@c.de", "a..b@c.de", "a@b_c.de"],
  },
  "idn-email": { fit: ["ada@example.com", "jürgen@müller.example"], misfit: ["jürgen", "a b@c.de"] },
  hostname: {
    fit: ["example.com", "localhost", "xn--mller-kva.example"],
    misfit: ["-a.com", "a..b", "a_b.com", "", `${"a".repeat(64)}.com`],
  },
  ipv4: { fit: ["192.0.2.1", "255.255.255.255"], misfit: ["256.0.0.1", "1.2.3", "01.2.3.4", "::1"] },
  ipv6: {
    fit: ["::1", "2001:db8::ff00:42:8329", "::ffff:192.0.2.1"],
    misfit: [":::1", "192.0.2.1", "fe80::1%eth0", "12345::"],
  },
  uri: {
    fit: ["https://example.com/a?b=%20#c", "urn:isbn:0451450523", "mailto:a@b.test", "http://[::1]:80/"],
    misfit: ["example.com", "/a/b", "https://", "https://a b.test/", "https://a.test/%zz", "http:// "],
  },
  "uri-reference": { fit: ["/a?b", "../c", "https://a.test", "", "#x"], misfit: ["a b", "\\a", "%1"] },
  uuid: {
    fit: ["123e4567-e89b-12d3-a456-426614174000"],
    misfit: ["123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"],
  },
  "json-pointer": { fit: ["", "/a/0", "/a~1b/~0"], misfit: ["a", "/~2", "/a~"] },
  regex: { fit: ["^[a-z]+$", ""], misfit: ["(", "[a"] },
};

for (const [name, { fit, misfit }] of Object.entries(CASES))
  describe(`the format ${name}`, () => {
    test("accepts what has it", () => {
      for (const text of [...fit, FORMATS[name]?.example ?? ""]) assert.equal(FORMATS[name]?.fits(text), true, text);
    });
    test("rejects what does not", () => {
      for (const text of misfit) assert.equal(FORMATS[name]?.fits(text), false, text);
    });
  });

test("every format takes linear time on hostile text", () => {
  const pieces = ["1", "a", "a.", "a@", "P1", "%", "%2", "/~", "::", "-", "http://", "[", "2026-01-31T"];
  const hostile = pieces.flatMap((piece) => [
    piece.repeat(300_000),
    `${piece.repeat(300_000)}!`,
    `P${piece.repeat(300_000)}`,
  ]);
  for (const [name, { fits }] of Object.entries(FORMATS)) for (const text of hostile) if (name !== "regex") fits(text);
});

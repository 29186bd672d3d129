/**
 * The values of `format` that are checked: those of JSON Schema 2020-12 that strings of answers have in practice. Each
 * check takes linear time, because answers and schemas come from anybody. An unknown format has no effect, as JSON Schema
 * demands.
 */
import { isIPv4, isIPv6 } from "node:net";

export type Format = { fits(text: string): boolean; example: string };

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|([+-])(\d\d):(\d\d))$/i;
const DURATION = /^P(?:\d+W|(?=[\dT])(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$/;
const LABEL = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i;
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const NOT_IN_URI = /[^\w.~:/?#[\]@!$&'()*+,;=%-]|%(?![\da-f]{2})/i;
const SCHEME = /^[a-z][a-z\d+.-]*:/i;

export const FORMATS: Readonly<Record<string, Format>> = {
  date: { fits: isDate, example: "2026-01-31" },
  time: { fits: isTime, example: "12:30:00Z" },
  "date-time": { fits: isDateTime, example: "2026-01-31T12:30:00Z" },
  duration: { fits: (text) => DURATION.test(text), example: "P1DT12H" },
  email: { fits: (text) => isEmail(text, LOCAL_PART, isHostname), example: "ada@example.com" },
  "idn-email": { fits: (text) => isEmail(text, /^[^\s@]+$/, isInternationalHostname), example: "ada@example.com" },
  hostname: { fits: isHostname, example: "www.example.com" },
  "idn-hostname": { fits: isInternationalHostname, example: "www.example.com" },
  ipv4: { fits: isIPv4, example: "192.0.2.1" },
  ipv6: { fits: (text) => isIPv6(text) && !text.includes("%"), example: "2001:db8::1" },
  uri: { fits: (text) => isUri(text) && !NOT_IN_URI.test(text), example: "https://example.com/a" },
  "uri-reference": { fits: (text) => !NOT_IN_URI.test(text), example: "/a?b#c" },
  iri: { fits: isUri, example: "https://example.com/a" },
  "iri-reference": { fits: hasNoBlanks, example: "/a?b#c" },
  uuid: { fits: (text) => UUID.test(text), example: "123e4567-e89b-12d3-a456-426614174000" },
  "json-pointer": { fits: (text) => /^(?:\/|$)/.test(text) && !/~(?![01])/.test(text), example: "/a/0" },
  regex: { fits: isRegex, example: "^[a-z]+$" },
};

function isDate(text: string): boolean {
  const [, year = 0, month = 0, day = 0] = (DATE.exec(text) ?? []).map(Number);
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days;
}

/** RFC 3339. A leap second ends a UTC day. */
function isTime(text: string): boolean {
  const match = TIME.exec(text);
  if (match === null) return false;
  const [hour = 0, minute = 0, second = 0] = match.slice(1, 4).map(Number);
  const [offsetHour = 0, offsetMinute = 0] = match.slice(5, 7).map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false;
  const offset = (offsetHour * 60 + offsetMinute) * (match[4] === "-" ? -1 : 1);
  const utcMinute = (hour * 60 + minute - offset + 2 * 24 * 60) % (24 * 60);
  return second < 60 || utcMinute === 24 * 60 - 1;
}

function isDateTime(text: string): boolean {
  return isDate(text.slice(0, 10)) && /^[t ]$/i.test(text.charAt(10)) && isTime(text.slice(11));
}

function isHostname(text: string): boolean {
  return text.length <= 253 && text.split(".").every((label) => LABEL.test(label));
}

function isInternationalHostname(text: string): boolean {
  return (
    text.length <= 253 &&
    text.split(/[.\u3002]/).every((label) => /^[\p{L}\p{M}\p{N}]/u.test(label) && /^[\p{L}\p{M}\p{N}-]+$/u.test(label))
  );
}

function isEmail(text: string, localPart: RegExp, isHost: (host: string) => boolean): boolean {
  const at = text.lastIndexOf("@");
  const [local, host] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || at > 64 || !localPart.test(local)) return false;
  const literal = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : undefined;
  return literal === undefined ? isHost(host) : isIPv4(literal) || isIPv6(literal.replace(/^IPv6:/i, ""));
}

function isUri(text: string): boolean {
  if (!SCHEME.test(text) || !hasNoBlanks(text)) return false;
  // Of other schemes, such as `urn:`, the syntax is enough.
  return !/^(?:https?|wss?|ftp):/i.test(text) || (/^[a-z]+:\/\/[^/?#]/i.test(text) && URL.canParse(text));
}

function hasNoBlanks(text: string): boolean {
  return !/[\s\p{Cc}<>"\\^`{|}]/u.test(text);
}

function isRegex(text: string): boolean {
  try {
    return new RegExp(text, "u") instanceof RegExp;
  } catch {
    return false;
  }
}
